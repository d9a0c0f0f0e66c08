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
	IPv6Wait int64    // iPXE's wait for a router among them, nanoseconds
	Limit    time.Duration
	Servers  []Server
}

// The parts' sizes.
const (
	waitsNodes  = 1000
	manyNodes   = 10000
	loaderNodes = 2
	kernelSize  = 12 << 20
	initrdSize  = 288 << 20
	partLimit   = 90 * time.Second
	waitsLimit  = 100 * time.Second
)

// The parts by kind.
const (
	partWaits  = "waits"  // nodes that make pauses as clients do
	partLeases = "leases" // many nodes that want an address
	partMany   = "many"   // many nodes that boot the guide's way
	partKernel = "kernel" // few nodes that load a kernel and a large initrd
)

// Parts are the storms beyond the main one: the same nodes with the pauses that
// clients make by themselves, what the project aims at for itself with 10,000
// nodes, and a large kernel and initrd with windows, where
// bootstorm is also made to send one frame per message. Of the peers it is the
// tuned ones among servers: frame by frame the untuned ones do the same.
func Parts(servers []Server) []Part {
	ours := slices.DeleteFunc(slices.Clone(servers), func(s Server) bool { return !s.Ours })
	tuned := slices.DeleteFunc(slices.Clone(servers), func(s Server) bool { return !s.Tuned })
	loaders := slices.Clone(ours)
	if len(ours) > 0 {
		loaders = append(loaders, onRung("csum"), onRung("mmsg"), onRung("single"))
	}
	loaders = append(loaders, tuned...)
	parts := []Part{
		{Name: partWaits, Title: "with the clients' pauses", Nodes: waitsNodes, Sequence: bench.Guide, Waits: true, IPv6Wait: bench.DefaultIPv6Wait,
			Limit: waitsLimit, Servers: slices.Concat(ours, tuned)},
		{Name: partLeases, Title: "10,000 leases", Nodes: manyNodes, Sequence: bench.DORA, Limit: partLimit, Servers: ours},
		{Name: partMany, Title: "10,000 boots", Nodes: manyNodes, Sequence: bench.Guide, Limit: partLimit, Servers: ours},
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

// kernelRoot makes the directory with the kernel and the initrd, once: random
// bytes from a fixed seed.
func (o *Options) kernelRoot() (string, *bench.Contents, error) {
	root := filepath.Join(o.Dir, partKernel)
	if _, err := os.Stat(root); err != nil {
		if err := os.Mkdir(root, 0o755); err != nil {
			return "", nil, err
		}
		source := rand.NewChaCha8([32]byte{})
		for name, size := range map[string]int64{"vmlinuz": kernelSize, "initrd.img": initrdSize} {
			if err := writeRandom(filepath.Join(root, name), source, size); err != nil {
				return "", nil, err
			}
		}
	}
	files, err := bench.ReadContents(root)
	return root, files, err
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
	for i := range r.Parts {
		run := &r.Parts[i]
		if !strings.HasPrefix(run.Part, partKernel) {
			continue
		}
		if !slices.Contains(windows, run.Window) {
			windows = append(windows, run.Window)
			header = append(header, fmt.Sprintf("windowsize %d: MB/s", run.Window), "frames per CPU second")
		}
		at := slices.Index(servers, run.Server)
		if at < 0 {
			at = len(servers)
			servers = append(servers, run.Server)
			rows = append(rows, []string{run.Title})
		}
		rows[at] = append(rows[at], run.loaderCells()...)
	}
	return header, rows
}

// loaderCells are the speed and the cost of a storm of large files.
func (r *Run) loaderCells() []string {
	switch {
	case r.Error != "":
		return []string{"none: " + firstLine(r.Error), ""}
	case r.Verified == 0 || r.Wall <= 0:
		return []string{"none", ""}
	}
	speed := fmt.Sprintf("%.0f", float64(r.Verified)/1e6/r.Wall.Seconds())
	if r.Failed > 0 {
		speed += fmt.Sprintf(", %d of %d not done", r.Failed, r.Nodes)
	}
	return []string{speed, bench.Count(int(r.FramesPerCPU()))}
}

const kernelCaption = "A kernel and an initrd, 300 MB together, to 2 nodes at once, with the windowsize that they ask for (RFC 7440) as far as the " +
	"server grants it: MB of files a second, and frames in both directions for each second of the server's processor time. " +
	"`--tx` makes bootstorm send in one way: mmsg and single are one frame per message. " +
	"The speed of bootstorm's lines is that of the nodes, whose core is busy for three quarters of the time and more."

// waitsTable has a line for each server.
func (r *Result) waitsTable() (rows [][]string) {
	for i := range r.Parts {
		if run := &r.Parts[i]; run.Part == partWaits {
			rows = append(rows, run.stormRow(run.Nodes))
		}
	}
	return rows
}

const waitsCaption = "The same storm, with the pauses that clients make by themselves: edk2 collects offers for 4 s, iPXE waits 3 s for a ProxyDHCP server, " +
	"unless an option of bootstorm's says that there is none, and 14 s for an IPv6 router. A real iPXE is told by bootstorm that there is no router; " +
	"these simulated ones do not listen to that."

// statements are what bootstorm did with 10,000 nodes, in sentences.
func (r *Result) statements() (all []string) {
	for i := range r.Parts {
		run := &r.Parts[i]
		if run.Part != partLeases && run.Part != partMany {
			continue
		}
		what := map[string]string{partLeases: "want an address", partMany: "boot the guide's way"}[run.Part]
		s := fmt.Sprintf("%s, %s nodes that %s at once: ", run.Title, bench.Count(run.Nodes), what)
		if run.Error != "" {
			all = append(all, s+firstLine(run.Error))
			continue
		}
		s += fmt.Sprintf("%s done, the last after %s; ", bench.Count(run.Done), bench.Duration(run.Wall))
		if run.Part == partLeases {
			s += fmt.Sprintf("%s leases a second, each on disk first; the last OFFER at most %s after the last DISCOVER; ",
				bench.Count(int(float64(run.Done)/max(run.Wall.Seconds(), 1e-9))), bench.Duration(max(run.Offered-run.Asked, 0)))
		}
		all = append(all, s+fmt.Sprintf("%s DHCP messages sent again; %s of server CPU each, garbage collections: %d, %s of memory afterwards, boot files included.",
			bench.Count(int(run.Repeated.DHCP())), bench.Duration(run.CPUPerNode()), run.GCs, bench.Bytes(run.After)))
	}
	return all
}
