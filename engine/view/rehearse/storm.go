// Package rehearse plays a storm of boots that never happened into a book, for
// tests of what shows storms and for looking at it without a network. All of it
// follows from the number of nodes: the same node does the same at the same
// second after the power came back.
package rehearse

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/story"
)

// Storm is the events that are still to come, and the book that has the others.
type Storm struct {
	Book    *story.Book
	Observe func(at time.Time, e *batch.Event) // is given each event as well; may be nil

	Hosts map[string]string // names of nodes by MAC address

	start  time.Time
	played time.Time // the last second that was played
	events []event   // in order
	next   int
	counts map[string]int64
	got    map[uint32]int64 // bytes of each transfer that were counted
	pool   story.Range
}

// event is one event of the core, at a time since the power came back.
type event struct {
	at     time.Duration
	advice string
	batch.Event
}

// before is how long before the storm the book begins.
const before = 15 * time.Second

// New plans a storm of n nodes that begins at start. One in twenty is an
// installed system, about one in forty gets stuck if there is trouble.
func New(n int, start time.Time, trouble bool) *Storm {
	start = start.Round(0) // no monotonic clock: the past is played at once
	s := &Storm{Book: story.NewBook(0), start: start, played: start.Add(-before), counts: map[string]int64{}, got: map[uint32]int64{}}
	for _, name := range quiet {
		s.counts[name] = 0
	}
	s.pool = story.Range{Name: "10.20.0.2-10.20.3.250", Size: max(16, int64(n))}
	names := story.Names{Version: "1.4.0", Started: start.Add(-52 * time.Hour), Interfaces: []string{"bond0"}, Root: "/srv/tftp",
		Hosts: map[string]string{}, Pools: []story.Range{s.pool}, Files: []story.File{{Name: "ipxe.efi", Size: ipxeSize, Leads: true},
			{Name: "refind.pxe", Size: 183, Leads: true}, {Name: "refind.conf", Size: 36_412}, {Name: "refind_x64.efi", Size: refindSize, Leads: true}}}
	for i := range n {
		m := newMachine(i, trouble)
		names.Hosts[m.mac()] = fmt.Sprintf("rack%02d-node%02d", i/40+1, i%40+1)
		s.events = append(s.events, m.events...)
	}
	slices.SortStableFunc(s.events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	s.Hosts = names.Hosts
	s.Book.Name(names)
	return s
}

// Play brings the book up to a time, second by second, and returns what it told.
func (s *Storm) Play(to time.Time) (told []story.Told) {
	for to = to.Round(0); to.Sub(s.played) >= time.Second; {
		s.played = s.played.Add(time.Second)
		for ; s.next < len(s.events) && !s.start.Add(s.events[s.next].at).After(s.played); s.next++ {
			e := &s.events[s.next]
			at := s.start.Add(e.at)
			s.Book.Observe(at, &e.Event, e.advice)
			if s.Observe != nil {
				s.Observe(at, &e.Event)
			}
			s.count(&e.Event)
		}
		s.Book.Counters(s.played, s.counts)
		told = append(told, s.Book.Tick(s.played)...)
	}
	return told
}

// count counts what the engine would count.
func (s *Storm) count(e *batch.Event) {
	c := s.counts
	c["frames"]++
	switch e.Kind {
	case batch.EventDiscover, batch.EventRequest, batch.EventOffer:
		c[e.Kind.String()]++
	case batch.EventAck:
		c["ack"]++
		c["journal_records"]++
		c["journal_syncs"] = c["journal_records"]/9 + 1
		c["journal_sync_ns"] = c["journal_syncs"] * 210_000
		if c["ack"]%2 == 1 {
			c[story.PoolUsed(s.pool)] = min(s.pool.Size, c[story.PoolUsed(s.pool)]+1)
		}
	case batch.EventTransferDone, batch.EventTransferProgress:
		c[story.CounterBytes] += e.Value - s.got[e.XID]
		s.got[e.XID] = e.Value
	}
}

// quiet are counters of the engine that a storm without losses leaves at zero.
var quiet = []string{"drop_ip_checksum", "drop_port", "link_kernel_drops", "link_send_drops", "tftp_resent_frames",
	story.CounterJournalFails, story.CounterHeld, story.CounterLinksDown, story.CounterLost, "request", "nak", "journal_syncs", "journal_sync_ns"}
