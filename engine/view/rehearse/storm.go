// Package rehearse plays a storm of boots that never happened, for tests of what
// shows storms and for looking at it without a network. All of it follows from a
// number of nodes and a time: the same node does the same at the same second.
package rehearse

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"bootstorm/engine/story"
)

// Storm is a book of made-up boots.
type Storm struct {
	Start   time.Time // when the power came back
	Ok      bool      // no node gets stuck
	nodes   []plan
	mu      sync.Mutex
	history []story.Sample
}

// step is one line of a made-up timeline, at a time since the node's start.
type step struct {
	at    time.Duration
	phase story.Phase // from here on
	story.Step
}

// plan is all that a node will do.
type plan struct {
	mac, host, addr string
	system          bool
	start           time.Duration // since the storm's
	steps           []step
	reason, expects string        // of a node that gets stuck
	stuckAt         time.Duration // since its start; 0: never
}

// New plans a storm of n nodes that begins at start. One in twenty is an
// installed system, about one in thirty gets stuck.
func New(n int, start time.Time) *Storm {
	s := &Storm{Start: start}
	for i := range n {
		s.nodes = append(s.nodes, newPlan(i, rand.New(rand.NewPCG(7, uint64(i)))))
	}
	return s
}

// newPlan makes the boot of one node.
func newPlan(i int, r *rand.Rand) plan {
	p := plan{mac: fmt.Sprintf("52:54:00:%02x:%02x:%02x", i>>16&255, i>>8&255, i&255),
		host: fmt.Sprintf("rack%02d-node%02d", i/40+1, i%40+1), addr: fmt.Sprintf("10.20.%d.%d", i/250, i%250+2)}
	// Power supplies come back within seconds, a few stragglers later.
	p.start = time.Duration(r.ExpFloat64()*6e9) + time.Duration(i/40)*300*time.Millisecond
	if i%20 == 13 {
		p.system = true
		p.lease(0, "system", 40*time.Millisecond)
		return p
	}
	p.boot(r, trouble(i))
	return p
}

// trouble says what goes wrong with node i, "" for nothing.
func trouble(i int) string {
	switch {
	case i%200 == 17:
		return "pool"
	case i%100 == 41:
		return "secure"
	case i%250 == 88:
		return "missing"
	case i == 7:
		return "denied"
	case i == 160:
		return "conflict"
	case i%400 == 222:
		return "loop"
	}
	return ""
}

func (p *plan) add(at time.Duration, phase story.Phase, kind, text string) *step {
	p.steps = append(p.steps, step{at, phase, story.Step{Kind: kind, Text: text}})
	return &p.steps[len(p.steps)-1]
}

// lease adds an exchange of DHCP that takes d, and returns when it ends.
func (p *plan) lease(at time.Duration, by string, d time.Duration) time.Duration {
	p.add(at, story.PhaseDiscover, "discover", "DISCOVER of "+by)
	p.add(at+d/8, story.PhaseOffer, "offer", "was offered "+p.addr)
	p.add(at+d*7/8, story.PhaseRequest, "request", "REQUEST for "+p.addr)
	p.add(at+d, story.PhaseLease, "ack", p.addr+" leased for 2 h")
	return at + d
}

// load adds a transfer, and returns when it ends.
func (p *plan) load(at time.Duration, file string, size int64, d time.Duration, resent int, next story.Phase) time.Duration {
	s := p.add(at, story.PhaseLoad, "transfer_start", fmt.Sprintf("asks for %s", file))
	s.File = file
	s = p.add(at+d, next, "transfer_done", fmt.Sprintf("%s arrived whole", file))
	s.File, s.Bytes, s.Took, s.Resent = file, size, d, resent
	return at + d
}

// boot adds the guide's boot, up to what goes wrong.
func (p *plan) boot(r *rand.Rand, wrong string) {
	spread := func(least, more time.Duration) time.Duration { return least + time.Duration(r.Float64()*float64(more)) }
	switch wrong {
	case "pool":
		for k := range 4 {
			s := p.add(time.Duration(4<<k-4)*time.Second, story.PhaseDiscover, "silence", "DISCOVER left without answer: no address is free")
			s.Bad = k > 0
		}
		p.halt(1500*time.Millisecond, "an OFFER of this server",
			"no address is free: the range 10.20.0.2 10.20.3.250 (dhcpd.conf:14) has 998 addresses, all in use; widen it, shorten max-lease-time, or remove leases of machines that are gone")
		return
	case "denied":
		p.add(0, story.PhaseDiscover, "silence", "DISCOVER left without answer: unknown clients are denied").Bad = true
		p.halt(200*time.Millisecond, "an OFFER of this server", "unknown clients are denied by dhcpd.conf:22 \"deny unknown-clients;\"; declare the host, or allow it there")
		return
	}
	at := p.lease(0, "UEFI firmware, 64 bits", spread(20*time.Millisecond, 1200*time.Millisecond))
	if wrong == "missing" {
		s := p.add(at+300*time.Millisecond, story.PhaseLease, "not_found", "asks for \"ipxe32.efi\", which is not there")
		s.Bad, s.File = true, "ipxe32.efi"
		p.halt(at+350*time.Millisecond, "a request for a boot file that exists", "it asks for \"ipxe32.efi\", which is not in /srv/tftp; did you mean \"ipxe.efi\"? dhcpd.conf:82 names it for architecture 6 (UEFI, 32 bits)")
		return
	}
	resent := 0
	if r.IntN(9) == 0 {
		resent = 1 + r.IntN(14)
	}
	at = p.load(at+spread(80*time.Millisecond, 400*time.Millisecond), "ipxe.efi", 1_093_632, spread(300*time.Millisecond, 5500*time.Millisecond), resent, story.PhaseNext)
	if wrong == "secure" {
		p.halt(at+20*time.Second, "a DISCOVER of iPXE", "it loaded ipxe.efi and never came back: Secure Boot refuses an unsigned program, or the program is for another architecture; look at its console, and switch Secure Boot off in its firmware")
		return
	}
	at = p.lease(at+spread(1500*time.Millisecond, 3*time.Second), "iPXE", spread(15*time.Millisecond, 300*time.Millisecond))
	if wrong == "conflict" {
		p.add(at+500*time.Millisecond, story.PhaseLease, "conflict", p.addr+" is used by 0c:c4:7a:00:17:02 as well").Bad = true
		p.halt(at+600*time.Millisecond, "a request for refind.pxe", p.addr+" is answered by another machine, 0c:c4:7a:00:17:02: find it and give it another address; this one is out of service until then")
		return
	}
	at = p.load(at+spread(60*time.Millisecond, 200*time.Millisecond), "refind.pxe", 183, spread(2*time.Millisecond, 40*time.Millisecond), 0, story.PhaseNext)
	if wrong == "loop" {
		at = p.lease(at+4*time.Second, "UEFI firmware, 64 bits", 300*time.Millisecond)
		p.halt(at+time.Second, "the rest of its boot", "it restarted 4 times within 5 minutes without loading its last file: refind.pxe ends in an error; look at its console")
		return
	}
	at = p.load(at+spread(150*time.Millisecond, 500*time.Millisecond), "refind_x64.efi", 301_568, spread(60*time.Millisecond, 1900*time.Millisecond), 0, story.PhaseNext)
	p.load(at+spread(300*time.Millisecond, 900*time.Millisecond), "refind.conf", 36_412, spread(10*time.Millisecond, 300*time.Millisecond), 0, story.PhaseDone)
}

// halt makes the node get stuck.
func (p *plan) halt(at time.Duration, expects, reason string) {
	p.stuckAt, p.expects, p.reason = at, expects, reason
}

// see tells how a node stands at a time since the storm's start.
func (s *Storm) see(p *plan, t time.Duration, steps bool) (n story.Node, there bool) {
	own := t - p.start
	if own < 0 {
		return n, false
	}
	begin := s.Start.Add(p.start)
	n = story.Node{MAC: p.mac, Host: p.host, Started: begin, Since: begin, Seen: begin, Boots: 1, Client: "uefi", Stage: "firmware", State: story.StateBooting}
	for i := range p.steps {
		st := &p.steps[i]
		if st.at > own {
			s.under(p, i, own, &n)
			break
		}
		s.done(st, begin, p, &n)
		if steps {
			line := st.Step
			line.At = begin.Add(st.at)
			n.Steps = append(n.Steps, line)
		}
	}
	switch {
	case p.system && n.Phase == story.PhaseLease:
		n.State, n.Phase, n.Stage, n.Client = story.StateSystem, story.PhaseDone, "system", "dhclient"
	case n.Phase == story.PhaseDone:
		n.State, n.Finished = story.StateDone, n.Seen
	case p.stuckAt > 0 && own > p.stuckAt && !s.Ok:
		n.State, n.Reason, n.Expected = story.StateStuck, p.reason, p.expects
	}
	return n, true
}

// done applies a step that has happened.
func (s *Storm) done(st *step, begin time.Time, p *plan, n *story.Node) {
	n.Seen, n.Last = begin.Add(st.at), st.Text
	if st.phase != n.Phase {
		n.Phase, n.Since = st.phase, n.Seen
	}
	if strings.Contains(st.Text, "iPXE") {
		n.Stage, n.Client = "ipxe", "ipxe"
	}
	switch st.Kind {
	case "ack":
		n.Address = p.addr
	case "silence":
		n.Asked++
	case "transfer_start":
		n.File, n.Percent = st.File, 0
	case "transfer_done":
		n.Percent, n.Rate = 100, float64(st.Bytes)/st.Took.Seconds()
		n.Bytes += st.Bytes
		n.Resent += st.Resent
	}
}

// under applies the part of a transfer that has happened.
func (s *Storm) under(p *plan, i int, own time.Duration, n *story.Node) {
	if st := &p.steps[i]; st.Kind == "transfer_done" {
		part := float64(own-p.steps[i-1].at) / float64(st.Took)
		n.Percent, n.Rate = part*100, float64(st.Bytes)/st.Took.Seconds()
		n.Bytes += int64(part * float64(st.Bytes))
		n.Seen = s.Start.Add(p.start + own)
	}
}

// all lists the nodes that were seen until now.
func (s *Storm) all(at time.Time) (list []story.Node) {
	for i := range s.nodes {
		if n, ok := s.see(&s.nodes[i], at.Sub(s.Start), false); ok {
			list = append(list, n)
		}
	}
	return list
}

// Node implements view.Book.
func (s *Storm) Node(at time.Time, who string) (story.Node, bool) {
	for i := range s.nodes {
		if p := &s.nodes[i]; strings.EqualFold(who, p.mac) || who == p.host || who == p.addr {
			return s.see(p, at.Sub(s.Start), true)
		}
	}
	return story.Node{}, false
}

// Nodes implements view.Book.
func (s *Storm) Nodes(at time.Time, q story.Query) ([]story.Node, int) {
	text := strings.ToLower(q.Text)
	list := slices.DeleteFunc(s.all(at), func(n story.Node) bool {
		return q.State != "" && n.State != q.State || q.Phase != "" && n.Phase != q.Phase ||
			!strings.Contains(strings.ToLower(n.MAC+" "+n.Host+" "+n.Address+" "+n.File), text)
	})
	slices.SortStableFunc(list, order(q.Sort))
	if q.Limit == 0 {
		q.Limit = 200
	}
	from := min(q.From, len(list))
	return list[from:min(len(list), from+q.Limit)], len(list)
}

// order compares nodes for a query's sort.
func order(sort string) func(a, b story.Node) int {
	worst := map[story.State]int{story.StateStuck: 0, story.StateBooting: 1, story.StateDone: 2, story.StateSystem: 3}
	switch sort {
	case "name":
		return func(a, b story.Node) int { return strings.Compare(a.Host, b.Host) }
	case "mac", "address":
		return func(a, b story.Node) int { return strings.Compare(a.MAC, b.MAC) }
	case "started":
		return func(a, b story.Node) int { return b.Started.Compare(a.Started) }
	}
	return func(a, b story.Node) int { return cmp.Or(worst[a.State]-worst[b.State], a.Started.Compare(b.Started)) }
}

// Summary implements view.Book.
func (s *Storm) Summary(at time.Time) story.Summary {
	sum := story.Summary{Version: "1.4.0", Interfaces: []string{"bond0"}, Now: at, Started: s.Start.Add(-52 * time.Hour), Health: story.HealthOK,
		Problems: []string{}, States: map[story.State]int{}, Phases: map[story.Phase]int{}, Rogues: []story.Rogue{}, Counters: map[string]int64{}}
	used, list := int64(0), s.all(at)
	before := s.bytes(at.Add(-time.Second))
	s.rates(at, &sum.Rates)
	for i := range list {
		n := &list[i]
		sum.States[n.State]++
		if n.State != story.StateSystem {
			sum.Phases[n.Phase]++
		}
		if n.Address != "" {
			used++
		}
	}
	sum.Nodes, sum.Rates.Bytes = len(list), float64(s.bytes(at)-before)
	sum.Pools = []story.Pool{{Range: "10.20.0.2 10.20.3.250", Size: int64(max(1, len(s.nodes))), Used: used}}
	sum.Counters = map[string]int64{"frames": 12 * int64(len(list)), "discover": 2 * int64(len(list)), "offer": 2 * int64(len(list)), "request": used, "ack": used,
		"drop_ip_checksum": 3, "drop_port": 41, "journal_syncs": used / 9, "journal_sync_ns": used * 210_000, "journal_failing": 0, "held": 0, "links_down": 0,
		"link_kernel_drops": 0, "link_send_drops": 0, "tftp_data_bytes": s.bytes(at), "tftp_resent_frames": 0, "tftp_timeouts": 0, "events_lost": 0}
	s.troubles(at, &sum)
	return sum
}

// rates counts what happened within the last second.
func (s *Storm) rates(at time.Time, r *story.Rates) {
	for i := range s.nodes {
		p := &s.nodes[i]
		for _, st := range p.steps {
			if ago := at.Sub(s.Start) - p.start - st.at; ago < 0 || ago >= time.Second {
				continue
			}
			switch {
			case st.phase == story.PhaseDone && st.Kind == "transfer_done":
				r.Files++
				r.Done++
			case st.Kind == "transfer_done":
				r.Files++
			case st.Kind == "discover", st.Kind == "silence":
				r.Discovers++
			case st.Kind == "ack":
				r.Leases++
			}
		}
	}
}

// troubles puts what is wrong into words.
func (s *Storm) troubles(at time.Time, sum *story.Summary) {
	if n := sum.States[story.StateStuck]; n > 0 && !s.Ok {
		sum.Health = story.HealthDegraded
		sum.Rogues = []story.Rogue{{MAC: "0c:c4:7a:00:17:02", Address: "10.20.0.162", Kind: "address-conflict", Seen: at.Add(-4 * time.Second), Count: 3,
			Text: "10.20.0.162 is used by 0c:c4:7a:00:17:02, to whom it is not leased; give that machine another address"}}
		sum.Problems = append(sum.Problems, fmt.Sprintf("%d nodes are stuck; the commonest reason: it loaded ipxe.efi and never came back", n),
			"10.20.0.162 is used by 0c:c4:7a:00:17:02, to whom it is not leased; give that machine another address")
	}
}

// bytes is how much was sent until a time.
func (s *Storm) bytes(at time.Time) (sum int64) {
	for _, n := range s.all(at) {
		sum += n.Bytes
	}
	return sum
}

// Tick takes the sample of a second; History shows what was taken.
func (s *Storm) Tick(at time.Time) {
	sum := s.Summary(at)
	sample := story.Sample{At: at, Phases: sum.Phases, Stuck: sum.States[story.StateStuck], Bytes: int64(sum.Rates.Bytes), Leases: int(sum.Rates.Leases)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.history = append(s.history, sample)
	s.history = s.history[max(0, len(s.history)-900):]
}

// History implements view.Book.
func (s *Storm) History() []story.Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.history)
}

// Told is what became true between two times.
func (s *Storm) Told(from, to time.Time) (list []story.Told) {
	for i := range s.nodes {
		was, _ := s.see(&s.nodes[i], from.Sub(s.Start), false)
		n, _ := s.see(&s.nodes[i], to.Sub(s.Start), false)
		if n.State == was.State {
			continue
		}
		switch n.State {
		case story.StateDone:
			list = append(list, story.Told{At: to, Kind: story.ToldBooted, Node: n,
				Text: fmt.Sprintf("%s booted in %s", n.Host, n.Finished.Sub(n.Started).Round(100*time.Millisecond))})
		case story.StateStuck:
			list = append(list, story.Told{At: to, Kind: story.ToldStuck, Node: n, Text: n.Host + " is stuck: " + n.Reason})
		}
	}
	return list
}
