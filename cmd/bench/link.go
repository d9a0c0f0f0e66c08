package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bootstorm/bench"
	"bootstorm/bench/peers"
	"bootstorm/bench/segment"
	"bootstorm/cmd/usage"
	"bootstorm/tools/lab"
)

// linkOptions are the flags of bench link.
type linkOptions struct {
	nodes  int
	rates  []float64
	limit  time.Duration
	daemon string
	dir    string
	nice   int
}

const linkHelp = `link boots nodes the guide's way over a link that is slower than the server: a token bucket (tc-tbf(8)) at
Node 0's interface, in private namespaces. It says how much of the link carried file bytes, how late the last node was
against the link's ideal time, how far the mean node was ahead of it, how long DHCP took beside all the data, and
whether frames were dropped at the server's own queue.

It needs root and a kernel with CONFIG_NET_SCH_TBF. Exit status: 0 all bars were held; 1 one was not; 2 it could not be
measured.`

func linkCommand() *cobra.Command {
	o := new(linkOptions)
	c := &cobra.Command{
		Use:     "link",
		Short:   "Storm bootstorm over a slow link",
		Long:    linkHelp,
		Example: "  bench link\n  bench link --rate 100 --nodes 300",
		Args:    usage.None(""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := c.Flags()
	f.IntVar(&o.nodes, "nodes", 1000, "`NUMBER` of nodes")
	f.Float64SliceVar(&o.rates, "rate", []float64{1000, 100}, "rates of the link in `MBIT/S`, one storm for each")
	f.DurationVar(&o.limit, "limit", 10*time.Minute, "a storm that takes longer than this `TIME` is ended")
	f.StringVar(&o.daemon, "bootstorm", "build/bootstorm", "the `PROGRAM` of the daemon")
	f.StringVar(&o.dir, "dir", "build", "`DIR` where the server's files go while it runs; must be on a real disk")
	niceFlag(f, &o.nice)
	return c
}

// run enters the private world, which runs this function again in there, and
// storms once for each rate.
func (o *linkOptions) run(cmd *cobra.Command) error {
	if o.nodes < 1 || o.nodes > peers.MaxNodes {
		return fmt.Errorf("--nodes: between 1 and %d are possible", peers.MaxNodes)
	}
	daemon, err := filepath.Abs(o.daemon)
	if err == nil {
		_, err = os.Stat(daemon)
	}
	if err != nil {
		return fmt.Errorf("--bootstorm: %w: make build", err)
	}
	if err := private(o.nice); err != nil {
		return err
	}
	ctx, stop := interruptible(cmd.Context())
	defer stop()
	dir, err := os.MkdirTemp(o.dir, "link-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	for i, rate := range o.rates {
		e := o.storm(ctx, cmd.OutOrStdout(), daemon, filepath.Join(dir, fmt.Sprint(i)), rate)
		if err = errors.Join(err, e); ctx.Err() != nil {
			break
		}
	}
	return err
}

// linkConf has room for peers.MaxNodes.
const linkConf = `subnet 10.0.0.0 netmask 255.0.0.0 {
    range 10.1.0.0 10.1.63.255;
    next-server 10.0.0.1;
    if exists user-class and option user-class = "iPXE" { filename "refind.pxe"; } else { filename "ipxe.efi"; }
}
`

// linkFiles are the guide's script, and programs of the real sizes: 1.17 MB.
func linkFiles() (files []*bench.File, wire int64) {
	const script = "#!ipxe\nimgfetch --name refind.conf tftp://${next-server}/refind.conf\nchain tftp://${next-server}/refind_x64.efi\n"
	files = []*bench.File{{Name: "refind.pxe", Data: []byte(script)}, {Name: "refind.conf", Data: fill(133)},
		{Name: "ipxe.efi", Data: fill(900_000)}, {Name: "refind_x64.efi", Data: fill(270_000)}}
	for _, f := range files {
		blksize := 1432 // iPXE's
		if f.Name == "ipxe.efi" {
			blksize = 1468 // the firmware's
		}
		wire += bench.FileFrames(len(f.Data), blksize, 0) // a token bucket counts frames from their Ethernet header on
	}
	return files, wire
}

func fill(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>9)
	}
	return b
}

// storm sets up Node 0 behind a link of so many Mbit/s, and storms it.
func (o *linkOptions) storm(ctx context.Context, w io.Writer, daemon, dir string, mbit float64) error {
	l, err := lab.New()
	if err != nil {
		return err
	}
	defer l.Close()
	node0, err := l.Node0("10.0.0.1/8")
	if err != nil {
		return err
	}
	nodes, err := l.Client("nodes", "")
	if err != nil {
		return err
	}
	// The queue has room for more than the daemon's socket may have waiting, as a
	// card's has: what is dropped nevertheless, the daemon is to blame for.
	if err := node0.TC(fmt.Sprintf("qdisc replace dev eth1 root tbf rate %.0fkbit burst 64kb limit 4mb", mbit*1000)); err != nil {
		return err
	}
	files, wire := linkFiles()
	if err := o.serve(node0, daemon, dir, files); err != nil {
		return err
	}
	s, err := bench.NewStorm(bench.Config{Nodes: o.nodes, Limit: int64(o.limit)}, bench.NewContents(files...))
	if err != nil {
		return err
	}
	var conn *segment.Conn
	if err := nodes.Do(func() (err error) { conn, err = segment.Open("eth0"); return err }); err != nil {
		return err
	}
	defer conn.Close()
	r, err := bench.Run(ctx, s, conn, time.Hour, nil)
	if err != nil {
		return err
	}
	drops, err := queueDrops(node0)
	if err != nil {
		return err
	}
	u := r.OnLink(mbit*1e6, wire*int64(o.nodes), drops)
	u.Write(w)
	if r.KernelDrops > 0 || r.LateTurns > 0.01 {
		fmt.Fprintf(w, "  the load was slow   %d frames lost on the way to the nodes, timers late in %.1f %% of turns: measure again on an idle machine\n", r.KernelDrops, 100*r.LateTurns)
	}
	if !r.OK() || !u.OK() {
		return errDifferent
	}
	return nil
}

// serve writes the files and starts the daemon.
func (o *linkOptions) serve(node0 *lab.Host, daemon, dir string, files []*bench.File) error {
	root := filepath.Join(dir, "root")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(root, f.Name), f.Data, 0o644); err != nil {
			return err
		}
	}
	conf := filepath.Join(dir, "dhcpd.conf")
	if err := os.WriteFile(conf, []byte(linkConf), 0o644); err != nil {
		return err
	}
	p, err := node0.Start(daemon, "serve", "--interface", "eth1", "--config", conf, "--tftp-root", root,
		"--lease-file", filepath.Join(dir, "dhcpd.leases"))
	if err != nil {
		return err
	}
	_, err = p.WaitLine("ready: ", 30*time.Second)
	return err
}

// queueDrops asks tc(8) how many frames the queue of Node 0's interface dropped.
func queueDrops(node0 *lab.Host) (uint64, error) {
	out, err := node0.Must("tc", "-s", "-j", "qdisc", "show", "dev", "eth1")
	if err != nil {
		return 0, err
	}
	var queues []struct {
		Drops uint64 `json:"drops"`
	}
	if err := json.Unmarshal([]byte(strings.TrimSpace(out)), &queues); err != nil || len(queues) == 0 {
		return 0, fmt.Errorf("tc says %q: %w", out, err)
	}
	return queues[0].Drops, nil
}
