package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"bootstorm/bench"
	"bootstorm/engine/config"
	"bootstorm/engine/core"
	"bootstorm/engine/image/load"
	"bootstorm/engine/plan"
	"bootstorm/engine/plan/compile"
	"bootstorm/proto"

	"github.com/spf13/pflag"
)

// simulationOptions are the flags of bench storm --virtual.
type simulationOptions struct {
	virtual bool
	config  string
	address string
	sync    time.Duration
	latency time.Duration
	rate    float64
}

// flags declares the flags that --virtual needs.
func (o *simulationOptions) flags(f *pflag.FlagSet) {
	f.BoolVar(&o.virtual, "virtual", false, "storm the core in this process, in virtual time")
	f.StringVar(&o.config, "config", "/etc/dhcp/dhcpd.conf", "with --virtual: the configuration `FILE`")
	f.StringVar(&o.address, "address", "192.168.1.1/24", "with --virtual: Node 0's `ADDRESS/PREFIX`")
	f.DurationVar(&o.sync, "sync", 2*time.Millisecond, "with --virtual: `TIME` that the disk takes for lease records")
	f.DurationVar(&o.latency, "latency", 20*time.Microsecond, "with --virtual: `TIME` that a frame takes, one way")
	f.Float64Var(&o.rate, "rate", 1000, "with --virtual: Node 0's link in `MBIT/S`, 0: without limit")
}

// run builds a core as the daemon would and storms it.
func (o *simulationOptions) run(s *bench.Storm, root string, every time.Duration, show func(bench.Progress)) (*bench.Result, error) {
	link, err := o.link()
	if err != nil {
		return nil, err
	}
	tree := config.ParseFile(o.config, config.Options{})
	p, findings := compile.Compile(tree)
	if p == nil {
		for _, f := range append(tree.Findings, findings...) {
			fmt.Fprint(os.Stderr, tree.Render(f))
		}
		return nil, errors.New("the configuration has errors")
	}
	files, problems, err := load.Read(load.Options{Root: root, Fallback: load.Builtin()}, 1)
	if err != nil {
		return nil, fmt.Errorf("--tftp-root: %w", err)
	}
	// A file that is missing is the storm's to notice; here it is only said.
	for _, p := range problems {
		fmt.Fprintf(os.Stderr, "warning: %s %s; %s\n", p.Path, p.Text, p.Remedy)
	}
	c := core.New(core.Config{Plan: p, Files: files, Links: []plan.Link{link}})
	return bench.Simulate(s, c, bench.Simulation{Link: link, Latency: int64(o.latency), Rate: int64(o.rate * 1e6),
		Sync: int64(o.sync)}, every, show)
}

// link is Node 0's interface.
func (o *simulationOptions) link() (plan.Link, error) {
	ip, network, err := net.ParseCIDR(o.address)
	if err != nil || ip.To4() == nil {
		return plan.Link{}, fmt.Errorf("--address: %q is not an IPv4 address with a prefix length", o.address)
	}
	addr, mask := proto.AddrFrom((*[4]byte)(ip.To4())), proto.AddrFrom((*[4]byte)(network.Mask))
	return plan.Link{Name: "eth0", MAC: proto.MAC{2, 0, 0, 0, 0, 1}, MTU: 1500, Addrs: []plan.LinkAddr{{Addr: addr, Mask: mask}}}, nil
}
