// Package apitest is a daemon for tests of the operator's commands: it answers
// the JSON interface with a made-up storm that is the same in every run.
package apitest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"bootstorm/cmd/bootstorm/text"
	"bootstorm/engine/span"
	"bootstorm/engine/story"
)

// Begin is when the made-up daemon started.
var Begin = time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)

// power is when all nodes of the site get their current back.
const power = 2*time.Hour + 3*time.Minute

// A boot of the site: what the steps are, in the words of package story, and how far
// they are apart in milliseconds on average.
var course = []struct {
	phase story.Phase
	kind  string
	text  string
	file  string
	bytes int64
	after float64
	stage string
}{
	{story.PhaseDiscover, "discover", "asked for an address (DISCOVER) as uefi, architecture 7 (UEFI, 64 bits)", "", 0, 2500, "firmware"},
	{story.PhaseOffer, "offer", "was offered ADDR (OFFER)", "", 0, 1, "firmware"},
	{story.PhaseRequest, "request", "took ADDR (REQUEST)", "", 0, 900, "firmware"},
	{story.PhaseLease, "ack", "has ADDR (ACK), told to load ipxe.efi", "", 0, 3, "firmware"},
	{story.PhaseLoad, "transfer-start", "began ipxe.efi, 1.0 MB", "ipxe.efi", 1_034_560, 700, "firmware"},
	{story.PhaseNext, "transfer-done", "got ipxe.efi", "ipxe.efi", 1_034_560, 2800, "firmware"},
	{story.PhaseDiscover, "discover", "asked for an address (DISCOVER) as ipxe, architecture 7 (UEFI, 64 bits)", "", 0, 4200, "ipxe"},
	{story.PhaseOffer, "offer", "was offered ADDR (OFFER)", "", 0, 1, "ipxe"},
	{story.PhaseRequest, "request", "took ADDR (REQUEST)", "", 0, 1050, "ipxe"},
	{story.PhaseLease, "ack", "has ADDR (ACK), told to load refind.pxe", "", 0, 3, "ipxe"},
	{story.PhaseLoad, "transfer-start", "began refind.pxe, 66 B", "refind.pxe", 66, 350, "ipxe"},
	{story.PhaseNext, "transfer-done", "got refind.pxe", "refind.pxe", 66, 4, "ipxe"},
	{story.PhaseLoad, "transfer-start", "began refind_x64.efi, 268.2 kB", "refind_x64.efi", 268_240, 220, "ipxe"},
	{story.PhaseNext, "transfer-done", "got refind_x64.efi", "refind_x64.efi", 268_240, 1900, "ipxe"},
	{story.PhaseLoad, "transfer-start", "began refind.conf, 412 B", "refind.conf", 412, 800, "ipxe"},
	{story.PhaseDone, "transfer-done", "got refind.conf", "refind.conf", 412, 30, "ipxe"},
}

// faults are ways to come to a halt: after which step of the course, and what a
// person is told.
var faults = []struct {
	after            int
	expected, reason string
}{
	{5, "a DISCOVER from iPXE", "it never came back after ipxe.efi: Secure Boot is on and refused it, or the program is for another architecture; look at its console, switch Secure Boot off in its firmware"},
	{0, "a REQUEST", "no address is left for it: all 1000 of 10.20.0.10 - 10.20.3.249 are leased (dhcpd.conf:64); widen the range, or remove machines that hold leases they do not need (bootstorm leases)"},
	{10, "another file", "it asked for \"refind_x64.ef\", which does not exist below /srv/tftp; did you mean \"refind_x64.efi\"? (refind.pxe names it)"},
	{4, "acknowledgements of ipxe.efi", "it went silent while ipxe.efi was on its way, after 38 % of it: its link is down or loses frames (31 frames were sent again); look at the switch port's error counters"},
	{2, "an ACK to be taken", "another DHCP server answered it: 52:54:00:de:ad:01 (10.20.0.254) offered 10.20.0.99; switch that server off, or keep it off this network"},
}

// overdue is how long a node may be silent before it counts as stuck.
const overdue = 20 * time.Second

// life is one node of the site, drawn once.
type life struct {
	node  story.Node
	steps []story.Step
	fault int // index of faults, -1 for none
}

// Site is the made-up network at one moment.
type Site struct {
	lives   []life
	now     time.Time
	started time.Time
	seen    []story.Node // how all stand at the time of seenAt
	seenAt  time.Time
}

// New makes a site of so many nodes; one in 130 comes to a halt.
func New(nodes int) *Site {
	r := rand.New(rand.NewPCG(17, 4))
	s := &Site{started: Begin, now: Begin}
	for i := range nodes {
		s.lives = append(s.lives, draw(r, i))
	}
	return s
}

// draw makes the life of node i.
func draw(r *rand.Rand, i int) life {
	n := story.Node{
		MAC:     fmt.Sprintf("52:54:00:%02x:%02x:%02x", 0x12+i>>16, i>>8&0xff, i&0xff),
		Host:    fmt.Sprintf("rack%02d-node%02d", i/40+1, i%40+1),
		Address: fmt.Sprintf("10.20.%d.%d", (i+10)>>8, (i+10)&0xff),
		Client:  "uefi", Boots: 1 + r.IntN(2),
	}
	l := life{fault: -1}
	if i%130 == 17 {
		l.fault = i / 130 % len(faults)
		n.Host = map[bool]string{true: "", false: n.Host}[l.fault == 1]
	}
	if n.Host == "" {
		n.Address = ""
	}
	l.node = n
	at := Begin.Add(power)
	slow := 0.7 + 0.6*r.Float64() + r.ExpFloat64()*0.25
	for k, c := range course {
		if l.fault >= 0 && k > faults[l.fault].after {
			break
		}
		took := time.Duration(c.after * slow * (0.5 + r.Float64()) * float64(time.Millisecond))
		at = at.Add(took)
		st := story.Step{At: at, Kind: c.kind, Text: strings.ReplaceAll(c.text, "ADDR", cmp.Or(n.Address, "an address")), File: c.file, Bytes: c.bytes}
		if c.kind == "transfer-done" {
			st.Took = took
			if r.IntN(30) == 0 {
				st.Resent = 1 + r.IntN(12)
			}
			st.Text += carried(&st)
		}
		l.steps = append(l.steps, st)
	}
	return l
}

// carried says of a file what a daemon's story says of it.
func carried(s *story.Step) string {
	words := fmt.Sprintf(", %s in %s (%s/s)", text.Bytes(float64(s.Bytes)), span.Text(s.Took), text.Bytes(float64(s.Bytes)/s.Took.Seconds()))
	if s.Resent > 0 {
		words += fmt.Sprintf(", %d frames repeated", s.Resent)
	}
	return words
}

// Set moves the clock: so long after the daemon's start. Power comes at PowerOn.
func (s *Site) Set(after time.Duration) { s.now = Begin.Add(after) }

// PowerOn is how long after the start all nodes begin.
func PowerOn() time.Duration { return power }

// Restart gives the daemon another start time, as after a restart.
func (s *Site) Restart(after time.Duration) { s.started = Begin.Add(after) }

// at tells how a node stands at a moment, false if it has not been heard of.
func (l *life) at(now time.Time) (story.Node, bool) {
	k := 0
	for k < len(l.steps) && !l.steps[k].At.After(now) {
		k++
	}
	if k == 0 {
		return story.Node{}, false
	}
	n, last := l.node, l.steps[k-1]
	c := course[k-1]
	n.Phase, n.Stage, n.State = c.phase, c.stage, story.StateBooting
	n.Started, n.Since, n.Seen, n.Last = l.steps[0].At, last.At, last.At, last.Text
	n.Client = "ipxe"
	if c.stage == "firmware" {
		n.Client = "uefi"
	}
	n.Steps = l.steps[:k:k]
	for _, st := range n.Steps {
		if st.Kind == "transfer-done" {
			n.Bytes += st.Bytes
			n.Resent += st.Resent
		}
		n.File = cmp.Or(st.File, n.File)
	}
	switch {
	case k == len(course):
		n.State, n.Finished, n.Percent = story.StateDone, last.At, 100
	case k < len(l.steps):
		load(&n, last, l.steps[k].At, now)
		n.Expected = expected[course[k].kind]
	case now.Sub(last.At) < overdue:
	default:
		f := faults[l.fault]
		n.State, n.Expected, n.Reason = story.StateStuck, f.expected, f.reason
		if f.after == 4 {
			n.Percent, n.Resent = 38, 31
		}
		n.Asked = int(now.Sub(last.At) / (15 * time.Second))
	}
	return n, true
}

// expected words the kind of the next step.
var expected = map[string]string{"discover": "a DISCOVER from iPXE", "offer": "an OFFER", "request": "a REQUEST", "ack": "an ACK once the lease is on disk",
	"transfer-start": "a request for a file", "transfer-done": "the rest of the file"}

// load says how far a file has come between its first and its last byte.
func load(n *story.Node, first story.Step, end, now time.Time) {
	if first.Kind != "transfer-start" {
		return
	}
	whole := end.Sub(first.At).Seconds()
	part := now.Sub(first.At).Seconds() / whole
	n.Percent, n.Rate, n.Seen = 100*part, float64(first.Bytes)/whole, now
	n.Bytes += int64(part * float64(first.Bytes))
}

// all lists every node heard of. The list is shared.
func (s *Site) all() []story.Node {
	if s.seenAt.Equal(s.now) {
		return s.seen
	}
	s.seen, s.seenAt = s.seen[:0:0], s.now
	for i := range s.lives {
		if n, ok := s.lives[i].at(s.now); ok {
			s.seen = append(s.seen, n)
		}
	}
	return s.seen
}

// Nodes answers a query.
func (s *Site) Nodes(q story.Query) (list []story.Node, total int) {
	text := strings.ToLower(q.Text)
	var found []*story.Node
	for i := range s.all() {
		n := &s.seen[i]
		if q.State != "" && n.State != q.State || q.Phase != "" && n.Phase != q.Phase ||
			!strings.Contains(strings.ToLower(n.MAC+" "+n.Host+" "+n.Address+" "+n.File), text) {
			continue
		}
		found = append(found, n)
	}
	slices.SortStableFunc(found, order(q.Sort))
	from := min(max(q.From, 0), len(found))
	list = []story.Node{}
	for _, n := range found[from:min(from+cmp.Or(q.Limit, 200), len(found))] {
		short := *n
		short.Steps = nil
		list = append(list, short)
	}
	return list, len(found)
}

// order compares nodes as a query asks.
func order(by string) func(a, b *story.Node) int {
	rank := func(s story.State) int {
		return slices.Index([]story.State{story.StateStuck, story.StateBooting, story.StateDone, story.StateSystem}, s)
	}
	return func(a, b *story.Node) int {
		switch by {
		case "name":
			return cmp.Compare(a.Host, b.Host)
		case "mac":
			return cmp.Compare(a.MAC, b.MAC)
		case "address":
			return cmp.Or(cmp.Compare(len(a.Address), len(b.Address)), cmp.Compare(a.Address, b.Address))
		case "started":
			return a.Started.Compare(b.Started)
		}
		if c := cmp.Compare(rank(a.State), rank(b.State)); c != 0 {
			return c
		}
		if a.State == story.StateDone { // the slowest first
			return cmp.Compare(b.Finished.Sub(b.Started), a.Finished.Sub(a.Started))
		}
		return a.Since.Compare(b.Since)
	}
}

// Node finds one by MAC, host or address.
func (s *Site) Node(who string) (story.Node, bool) {
	for _, n := range s.all() {
		if who != "" && (n.MAC == who || n.Host == who || n.Address == who) {
			return n, true
		}
	}
	return story.Node{}, false
}

// Summary counts.
func (s *Site) Summary() story.Summary {
	v := story.Summary{Version: "1.4.0", Interfaces: []string{"bond0"}, Now: s.now, Started: s.started, Health: story.HealthOK,
		States: map[story.State]int{}, Phases: map[story.Phase]int{}, Counters: map[string]int64{}, Problems: []string{}}
	for _, n := range s.all() {
		v.Nodes++
		v.States[n.State]++
		v.Phases[n.Phase]++
		v.Rates.Bytes += n.Rate
		for _, st := range n.Steps {
			if s.now.Sub(st.At) > time.Second {
				continue
			}
			switch st.Kind {
			case "discover":
				v.Rates.Discovers++
			case "ack":
				v.Rates.Leases++
			case "transfer-done":
				v.Rates.Files++
			}
			if st.At.Equal(n.Finished) {
				v.Rates.Done++
			}
		}
	}
	v.Pools = []story.Pool{{Range: "10.20.0.10 - 10.20.3.249", Size: 1000, Used: int64(min(v.Nodes, 1000))}}
	if n := v.States[story.StateStuck]; n > 0 {
		v.Health = story.HealthDegraded
		v.Problems = append(v.Problems, fmt.Sprintf("%d nodes are stuck; bootstorm watch shows them first, with the reason of each", n),
			"the pool 10.20.0.10 - 10.20.3.249 is used up: widen the range in dhcpd.conf:64 and reload (systemctl reload bootstorm@bond0)",
			"another DHCP server answers on bond0: 52:54:00:de:ad:01 (10.20.0.254); switch it off or keep it off this network")
		v.Rogues = []story.Rogue{{MAC: "52:54:00:de:ad:01", Address: "10.20.0.254", Kind: "dhcp-server", Text: "another DHCP server answers on bond0", Seen: s.now, Count: 3}}
	}
	return v
}

// History gives the last two minutes.
func (s *Site) History() []story.Sample {
	h := []story.Sample{}
	for back := 120; back >= 0; back-- {
		at := s.now.Add(-time.Duration(back) * time.Second)
		if at.Before(s.started) {
			continue
		}
		v := story.Sample{At: at, Phases: map[story.Phase]int{}}
		for i := range s.lives {
			s.lives[i].count(&v)
		}
		h = append(h, v)
	}
	return h
}

// count adds a node to a second of history.
func (l *life) count(v *story.Sample) {
	k := 0
	for k < len(l.steps) && !l.steps[k].At.After(v.At) {
		k++
	}
	if k == 0 {
		return
	}
	v.Phases[course[k-1].phase]++
	last := &l.steps[k-1]
	if k == len(l.steps) && l.fault >= 0 && v.At.Sub(last.At) >= overdue {
		v.Stuck++
	}
	if last.Kind == "transfer-start" && k < len(l.steps) {
		v.Bytes += int64(float64(last.Bytes) / l.steps[k].At.Sub(last.At).Seconds())
	}
	if last.Kind == "ack" && v.At.Sub(last.At) < time.Second {
		v.Leases++
	}
}
