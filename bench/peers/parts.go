package peers

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bootstorm/bench"
)

// Part is a further storm of a comparison.
type Part struct {
	Name     string // unique
	Title    string // for progress and tables
	Nodes    int
	Sequence bench.Sequence
	Files    []string // what a loader reads, in the sequence bench.Kernel
	Window   int      // the windowsize that it asks for
	Waits    bool     // the nodes keep the pauses that clients make by themselves
	Limit    time.Duration
	Servers  []Server
}

// The parts' sizes.
const (
	manyTimes   = 10 // as many nodes as in the main storm
	loaderNodes = 2
	kernelSize  = 12 << 20
	initrdSize  = 288 << 20
	partLimit   = 90 * time.Second
	waitsLimit  = 100 * time.Second
)

// MaxNodes fits the pool of the comparison.
const MaxNodes = 15000

// The parts by kind.
const (
	partWaits  = "waits"  // nodes that make pauses as clients do
	partLeases = "leases" // many nodes that want an address
	partMany   = "many"   // many nodes that boot the guide's way
	partKernel = "kernel" // few nodes that load a kernel and a large initrd
)

// Parts are the storms beyond the main one: the same nodes with the pauses that
// clients make by themselves, what the project aims at for itself with ten times
// as many, and a large kernel and initrd with windows, where
// bootstorm is also made to send one frame per message. Of the peers it is the
// tuned ones among servers: frame by frame the untuned ones do the same.
func Parts(servers []Server, nodes int) []Part {
	ours := slices.DeleteFunc(slices.Clone(servers), func(s Server) bool { return !s.Ours })
	tuned := slices.DeleteFunc(slices.Clone(servers), func(s Server) bool { return !s.Tuned })
	loaders := slices.Clone(ours)
	if len(ours) > 0 {
		loaders = append(loaders, onRung("csum"), onRung("mmsg"), onRung("single"))
	}
	loaders = append(loaders, tuned...)
	many := min(manyTimes*nodes, MaxNodes)
	parts := []Part{
		{Name: partWaits, Title: "with the clients' pauses", Nodes: nodes, Sequence: bench.Guide, Waits: true,
			Limit: waitsLimit, Servers: slices.Concat(ours, tuned)},
		{Name: partLeases, Title: bench.Count(many) + " leases", Nodes: many, Sequence: bench.DORA, Limit: partLimit, Servers: ours},
		{Name: partMany, Title: bench.Count(many) + " boots", Nodes: many, Sequence: bench.Guide, Limit: partLimit, Servers: ours},
	}
	for _, w := range []int{16, 64} {
		parts = append(parts, Part{Name: fmt.Sprintf("%s-%d", partKernel, w), Title: fmt.Sprintf("300 MB, windowsize %d", w), Nodes: loaderNodes,
			Sequence: bench.Kernel, Files: []string{"vmlinuz", "initrd.img"}, Window: w, Limit: partLimit, Servers: loaders})
	}
	return parts
}

// onRung is bootstorm made to send in a certain way (its flag --tx).
func onRung(tx string) Server {
	return Server{Name: "bootstorm-" + tx, Title: "bootstorm, --tx " + tx, Ours: true,
		commands: func(s *Site) ([]command, error) { return bootstorm(s, "--tx", tx) }}
}

// kernelRoot makes the directory with the kernel and the initrd: random bytes
// from a fixed seed.
func (o *Options) kernelRoot() (c content) {
	c.root = filepath.Join(o.Dir, partKernel)
	if c.err = os.Mkdir(c.root, 0o755); c.err != nil {
		return c
	}
	source := rand.NewChaCha8([32]byte{})
	for _, f := range []struct {
		name string
		size int64
	}{{"vmlinuz", kernelSize}, {"initrd.img", initrdSize}} {
		if c.err = writeRandom(filepath.Join(c.root, f.name), source, f.size); c.err != nil {
			return c
		}
	}
	c.files, c.err = bench.ReadContents(c.root)
	return c
}

func writeRandom(name string, source io.Reader, size int64) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.CopyN(f, source, size); err != nil {
		return err
	}
	return f.Close()
}

// kernelTable has a line for each server and a pair of columns for each window.
func (r *Result) kernelTable() (header []string, rows [][]string) {
	header = []string{"server"}
	var windows []int
	var servers []string
	for _, g := range groups(r.Parts) {
		if !strings.HasPrefix(g[0].Part, partKernel) {
			continue
		}
		if !slices.Contains(windows, g[0].Window) {
			windows = append(windows, g[0].Window)
			header = append(header, fmt.Sprintf("windowsize %d: MB/s", g[0].Window), "frames per CPU second")
		}
		at := slices.Index(servers, g[0].Server)
		if at < 0 {
			at = len(servers)
			servers = append(servers, g[0].Server)
			rows = append(rows, []string{g[0].Title})
		}
		rows[at] = append(rows[at], g.loaderCells()...)
	}
	return header, rows
}

// loaderCells are the speed and the cost of storms of large files.
func (g group) loaderCells() []string {
	run, speed, cost := g.middle(), fileSpeed.spread(g), framesCPU.spread(g)
	switch {
	case run.Error != "":
		return []string{"none: " + firstLine(run.Error), ""}
	case run.Verified == 0 || run.Wall <= 0:
		return []string{"none", ""}
	}
	cell := whole(speed.Median) + speed.span(whole)
	if run.Failed > 0 {
		cell += fmt.Sprintf(", %d of %d not done", run.Failed, run.Nodes)
	}
	return []string{cell, whole(cost.Median) + cost.span(whole)}
}

const kernelCaption = "A kernel and an initrd, 300 MB together, to 2 nodes at once, with the windowsize that they ask for (RFC 7440) as far as the " +
	"server grants it: MB of files a second, and frames in both directions for each second of the server's processor time. " +
	"`--tx` makes bootstorm send in one way: mmsg and single are one frame per message."

// kernelNote says how far the speed of bootstorm's lines is that of the nodes.
func (r *Result) kernelNote() string {
	var ours []*Run
	for i := range r.Parts {
		if run := &r.Parts[i]; run.Ours && strings.HasPrefix(run.Part, partKernel) {
			ours = append(ours, run)
		}
	}
	busy := loadBusy.spread(ours)
	if busy.Median <= 0 {
		return kernelCaption
	}
	return kernelCaption + fmt.Sprintf(" With bootstorm the nodes' own core was busy for %.0f to %.0f %% of the time.", 100*busy.Low, 100*busy.High)
}

// waitsTable has a line for each server.
func (r *Result) waitsTable() (rows [][]string) {
	for _, g := range groups(r.Parts) {
		if g[0].Part == partWaits {
			rows = append(rows, g.stormRow(g[0].Nodes))
		}
	}
	return rows
}

const waitsCaption = "The same storm, with the pauses that clients make by themselves: edk2 collects offers for 4 s; iPXE waits 3 s for a ProxyDHCP server " +
	"and, meanwhile, 15.75 s for an IPv6 router, unless it is told that there is none, as it is by bootstorm: in an option of the OFFER and in a router advertisement."

// waitsNote is waitsCaption. In the first format the nodes did not listen to
// advertisements.
func (r *Result) waitsNote() string {
	if r.Format >= 2 {
		return waitsCaption
	}
	return "The same storm, with the pauses that clients make by themselves: edk2 collects offers for 4 s, iPXE waits 3 s for a ProxyDHCP server, " +
		"unless an option of bootstorm's says that there is none, and 14 s for an IPv6 router. A real iPXE is told by bootstorm that there is no router; " +
		"these simulated ones did not listen to that."
}

// statements are what bootstorm did with many nodes and beside its socket calls
// alone, in sentences.
func (r *Result) statements() (all []string) {
	for _, g := range groups(r.Parts) {
		if g[0].Part == partLeases || g[0].Part == partMany {
			all = append(all, g.statement())
		}
	}
	if s := ceilingSentence(r.Ceiling); s != "" {
		all = append(all, s)
	}
	return all
}

// statement is what came of many nodes.
func (g group) statement() string {
	run := g.middle()
	what := map[string]string{partLeases: "want an address", partMany: "boot the guide's way"}[run.Part]
	s := fmt.Sprintf("%s, %s nodes that %s at once: ", run.Title, bench.Count(run.Nodes), what)
	if run.Error != "" {
		return s + firstLine(run.Error)
	}
	last := lastNode.spread(g)
	s += fmt.Sprintf("%s done, the last after %s%s; ", bench.Count(run.Done), inSeconds(last.Median), last.span(inSeconds))
	if run.Part == partLeases {
		s += g.leases()
	}
	cpu := nodeCPU.spread(g)
	heap := fmt.Sprintf("garbage collections: %d", run.GCs)
	if run.Allocations != nil {
		heap += fmt.Sprintf(", objects allocated: %s", bench.Count(*run.Allocations))
	}
	return s + fmt.Sprintf("%s DHCP messages sent again; %s%s of server CPU each, %s, %s of memory afterwards, boot files included.",
		bench.Count(int(run.Repeated.DHCP())), inSeconds(cpu.Median), cpu.span(inSeconds), heap, bench.Bytes(run.After))
}

// leases says what the nodes' side saw of a lease. Both figures include its own
// work, which shares nothing with the server's core but the time.
func (g group) leases() string {
	rate, offer, busy := leaseRate.spread(g), lastOffer.spread(g), loadBusy.spread(g)
	s := fmt.Sprintf("%s%s leases a second, each on disk first, from the first power-on to the last ACK", whole(rate.Median), rate.span(whole))
	if busy.Median > 0 {
		s += fmt.Sprintf(", in which the nodes' own core was busy for %.0f %%", 100*busy.Median)
	}
	s += "; "
	if offer.Runs > 0 {
		s += fmt.Sprintf("the last OFFER read by its node at most %s%s after the last DISCOVER was sent; ", inSeconds(offer.Median), offer.span(inSeconds))
	}
	return s
}
