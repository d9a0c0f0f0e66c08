package bench

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/config"
	"bootstorm/engine/core"
	"bootstorm/engine/image"
	"bootstorm/engine/plan"
	"bootstorm/engine/plan/compile"
	"bootstorm/proto"
)

// pool is a network and its range of addresses.
type pool struct {
	subnet, mask, first, last string
	bits                      int
}

var (
	guidePool = pool{"192.168.1.0", "255.255.255.240", "192.168.1.2", "192.168.1.5", 28}
	widePool  = pool{"192.168.0.0", "255.255.0.0", "192.168.16.0", "192.168.19.231", 16} // 1,000 addresses
)

// guideConf is the guide's configuration with a subnet and range of choice.
func guideConf(p pool, more string) string {
	return fmt.Sprintf(`default-lease-time 7200;
max-lease-time 7200;
allow booting;
allow unknown-clients;
option arch code 93 = unsigned integer 16;
option space ipxe;
option ipxe-encap-opts code 175 = encapsulate ipxe;
option ipxe.no-pxedhcp code 176 = unsigned integer 8;
%s
subnet %s netmask %s {
    range %s %s;
    option routers 192.168.1.1;
    ping-check = 1;
    next-server 192.168.1.1;
    if option arch = 00:07 {
      if exists user-class and option user-class = "iPXE" { filename "refind.pxe"; } else { filename "ipxe.efi"; }
    }
}
`, more, p.subnet, p.mask, p.first, p.last)
}

// newCore makes a core that serves the files by the configuration.
func newCore(t testing.TB, conf string, bits int, files *Contents) (*core.Core, plan.Link) {
	t.Helper()
	return newCoreAt(t, conf, bits, serverAddr, files)
}

// newCoreAt is newCore with an address of choice.
func newCoreAt(t testing.TB, conf string, bits int, addr proto.Addr, files *Contents) (*core.Core, plan.Link) {
	t.Helper()
	c, link := coreConfig(t, conf, bits, addr, files)
	return core.New(c), link
}

// coreConfig is what newCoreAt makes a core of.
func coreConfig(t testing.TB, conf string, bits int, addr proto.Addr, files *Contents) (core.Config, plan.Link) {
	t.Helper()
	tree := config.ParseText("dhcpd.conf", []byte(conf), config.Options{})
	p, findings := compile.Compile(tree)
	if p == nil {
		for _, f := range append(tree.Findings, findings...) {
			t.Log(tree.Render(f))
		}
		t.Fatal("the configuration does not compile")
	}
	var served []image.File
	for _, f := range files.files {
		served = append(served, image.File{Name: f.Name, Data: f.Data, NetasciiSize: image.NetasciiSize(f.Data)})
	}
	link := plan.Link{Name: "eth0", MAC: serverMAC, MTU: 1500,
		Addrs: []plan.LinkAddr{{Addr: addr, Mask: proto.Limited << (32 - bits)}}}
	return core.Config{Plan: p, Files: image.Build(1, "/srv/tftp", served), Links: []plan.Link{link}}, link
}

// simulate runs a storm against the core.
func simulate(t testing.TB, c Config, p pool, more string, m Simulation) *Result {
	t.Helper()
	files := testContents()
	k, link := newCore(t, guideConf(p, more), p.bits, files)
	s, err := NewStorm(c, files)
	if err != nil {
		t.Fatal(err)
	}
	m.Link = link
	r, err := Simulate(s, k, m, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wantOK(t *testing.T, r *Result) {
	t.Helper()
	if !r.OK() {
		var b strings.Builder
		r.WriteTable(&b, t.Name())
		t.Errorf("seed %d\n%s", r.Seed, b.String())
	}
}

// The guide's promise: four addresses serve four machines through any number
// of reboots, whichever client asks.
func TestFourNodesOnFourAddresses(t *testing.T) {
	for _, c := range []Config{
		{Nodes: 4, Boots: 10, Sequence: Guide, Pause: batch.Second},
		{Nodes: 4, Boots: 3, Sequence: Guide, Waits: true, IPv6: true, Loader: DefaultLoader},
		{Nodes: 4, Boots: 10, Sequence: Guide, Fresh: true},
		{Nodes: 4, Boots: 5, Sequence: Full, Renew: 5 * batch.Second},
		{Nodes: 4, Boots: 3, Sequence: Linux},
		{Nodes: 4, Boots: 5, Sequence: Firmware},
		{Nodes: 4, Boots: 20, Sequence: DORA},
	} {
		t.Run(fmt.Sprintf("%s, waits %v, fresh %v", c.Sequence, c.Waits, c.Fresh), func(t *testing.T) {
			r := simulate(t, c, guidePool, "", Simulation{Rate: 1e9})
			wantOK(t, r)
			if r.Addresses != 4 || r.NAKs != 0 || r.Repeated.DHCP() != 0 || r.Foreign != 0 {
				t.Errorf("%d addresses, %d NAKs, %+v, %d foreign frames", r.Addresses, r.NAKs, r.Repeated, r.Foreign)
			}
		})
	}
}

// A fifth machine finds no address; it is told nothing, and the others are not
// harmed.
func TestFifthNodeFails(t *testing.T) {
	r := simulate(t, Config{Nodes: 5, Sequence: DORA}, guidePool, "", Simulation{})
	if r.Done != 4 || r.Failed != 1 || !strings.HasPrefix(r.Failures[0].Reason, "no OFFER") {
		t.Errorf("%d done, %+v", r.Done, r.Failures)
	}
}

// Where nobody is answered the storm ends when the last node has given up, and says
// what became of them.
func TestNobodyIsAnswered(t *testing.T) {
	r := simulate(t, Config{Nodes: 3, Sequence: DORA}, guidePool, "deny booting;", Simulation{})
	if r.Done != 0 || r.Failed != 3 || len(r.Failures) != 1 || !strings.HasPrefix(r.Failures[0].Reason, "no OFFER") {
		t.Errorf("%d done, %d failed: %+v", r.Done, r.Failed, r.Failures)
	}
}

func TestThousandNodes(t *testing.T) {
	for _, c := range []struct {
		name string
		Config
	}{
		{"at once", Config{Nodes: 1000}},
		{"ramp and own waits", Config{Nodes: 1000, Ramp: 20 * batch.Second, Waits: true, IPv6: true}},
		{"again and again", Config{Nodes: 1000, Boots: 3}},
		{"1 % lost, repeated and late", Config{Nodes: 1000, Link: Impairment{Loss: 0.01, Duplicate: 0.01, Reorder: 0.01}}},
		{"5 % lost", Config{Nodes: 200, Link: Impairment{Loss: 0.05}}},
		{"slow and unsteady", Config{Nodes: 200, Link: Impairment{Delay: 5 * batch.Millisecond, Jitter: 2 * batch.Millisecond}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.Seed = 1
			r := simulate(t, c.Config, widePool, "", Simulation{Rate: 1e9})
			wantOK(t, r)
			if r.Addresses != c.Nodes || r.NAKs != 0 {
				t.Errorf("%d addresses, %d NAKs", r.Addresses, r.NAKs)
			}
		})
	}
}

// Machines that lose power in the middle and come back, with the same ports
// and identifiers (iPXE of 2019) or new ones, boot in the end and keep their
// addresses.
func TestPowerLoss(t *testing.T) {
	for _, c := range []Config{
		{Nodes: 4, Boots: 10, Cut: 0.7, CutWithin: 4 * batch.Millisecond},
		{Nodes: 4, Boots: 10, Cut: 0.7, CutWithin: 4 * batch.Millisecond, Fresh: true},
		{Nodes: 4, Boots: 3, Cut: 0.7, CutWithin: 20 * batch.Second, Waits: true, IPv6: true, Loader: DefaultLoader},
		{Nodes: 4, Boots: 10, Cut: 0.5, CutWithin: 50 * batch.Millisecond, Fresh: true, Link: Impairment{Loss: 0.02, Duplicate: 0.02, Reorder: 0.02}},
	} {
		for seed := range uint64(3) {
			c.Seed = seed
			r := simulate(t, c, guidePool, "", Simulation{Rate: 1e9})
			wantOK(t, r)
			if r.Cut == 0 || r.Addresses != 4 || r.NAKs != 0 {
				t.Errorf("%+v: power was lost %d times, %d addresses, %d NAKs", c, r.Cut, r.Addresses, r.NAKs)
			}
		}
	}
}

// Everything at once: loss, copies, frames that come half a second late, power
// cuts, a slow disk. Whatever happens, four nodes share four addresses and boot.
func TestRoughWeather(t *testing.T) {
	rough := Impairment{Loss: 0.03, Duplicate: 0.05, Reorder: 0.05, Late: 500 * batch.Millisecond}
	distant := Impairment{Loss: 0.02, Duplicate: 0.1, Delay: 20 * batch.Millisecond, Jitter: 30 * batch.Millisecond}
	for seed := range uint64(6) {
		for _, c := range []Config{
			{Boots: 8, Sequence: Full, Renew: batch.Second, Cut: 0.5, CutWithin: 50 * batch.Millisecond, Link: rough},
			{Boots: 8, Sequence: Guide, Fresh: true, Cut: 0.5, CutWithin: 50 * batch.Millisecond, Link: rough},
			{Boots: 3, Sequence: Full, Waits: true, IPv6: true, Link: distant},
		} {
			c.Nodes, c.Seed = 4, seed
			r := simulate(t, c, guidePool, "", Simulation{Rate: 1e9, Sync: int64(1+20*seed) * batch.Millisecond})
			if !wasOvertaken(r) {
				wantOK(t, r)
			}
			if r.Addresses != 4 || r.NAKs != 0 {
				t.Errorf("seed %d, %+v: %d addresses, %d NAKs", seed, c, r.Addresses, r.NAKs)
			}
		}
	}
}

// wasOvertaken tells whether the only failure is a block that the server sent to
// the port of a boot that lost power, half a second late, and that overtook the
// OACK of the next boot, whose iPXE uses that port again and learns the server's
// port from whatever comes first (src/net/udp/tftp.c, tftp_rx). The server ends such
// transfers at the next boot's DISCOVER, so the block must have been sent before that,
// and these nodes, which make no pauses, ask for the same file within milliseconds
// of it: one boot of 5,000 of these (2 of 9,600; 15 where the transfers are left to
// run). With the clients' own pauses seconds lie between: 0 of 4,800.
func wasOvertaken(r *Result) bool {
	return r.Failed == 1 && r.Cut > 0 && len(r.Failures) == 1 && strings.Contains(r.Failures[0].Reason, "before the OACK")
}

// A slow disk delays ACKs and nothing else.
func TestSlowDisk(t *testing.T) {
	r := simulate(t, Config{Nodes: 100}, widePool, "", Simulation{Sync: 300 * batch.Millisecond})
	wantOK(t, r)
	if d := r.Phases[0].P50; d < 300*time.Millisecond || d > 400*time.Millisecond {
		t.Errorf("a firmware's DHCP takes %s", d)
	}
}

// With option 175.176 from the configuration iPXE does not wait.
func TestNoPXEDHCPFromConfiguration(t *testing.T) {
	r := simulate(t, Config{Nodes: 4, Waits: true}, guidePool, "option ipxe.no-pxedhcp 1;", Simulation{})
	wantOK(t, r)
	for _, p := range r.Phases {
		if p.Name == "iPXE DHCP" && p.Max > 100*time.Millisecond {
			t.Errorf("iPXE's DHCP takes %s", p.Max)
		}
	}
}

// A seed decides everything: the same storm gives the same result, another
// seed another one.
func TestSeedDecides(t *testing.T) {
	result := func(seed uint64) string {
		c := Config{Nodes: 50, Boots: 2, Seed: seed, Waits: true, Link: Impairment{Loss: 0.05, Duplicate: 0.02, Reorder: 0.05, Jitter: 1000}}
		r := simulate(t, c, widePool, "", Simulation{Rate: 1e9})
		r.Wall, r.Seed = 0, 0
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	first := result(7)
	if again := result(7); again != first {
		t.Errorf("the same seed gives\n%s\nand\n%s", first, again)
	}
	if result(8) == first {
		t.Error("another seed gives the same result")
	}
}

// The link's rate is kept: goodput comes close to it and never passes it.
func TestRateIsKept(t *testing.T) {
	r := simulate(t, Config{Nodes: 300, Sequence: Firmware}, widePool, "", Simulation{Rate: 1e8})
	wantOK(t, r)
	if r.Goodput > 1e8 || r.Goodput < 0.5e8 {
		t.Errorf("%.1f Mbit/s on a link of 100", r.Goodput/1e6)
	}
}

func BenchmarkSimulate(b *testing.B) {
	frames := uint64(0)
	for b.Loop() {
		r := simulate(b, Config{Nodes: 200}, widePool, "", Simulation{Rate: 1e9})
		frames += r.FramesIn + r.FramesOut
	}
	b.ReportMetric(float64(frames)/b.Elapsed().Seconds(), "frames/s")
}
