package hostile

import (
	"os"
	"strings"
	"testing"

	"bootstorm/bench"
	"bootstorm/proto"
)

const rogueMAC = "0a:bb:00:00:00:09"

// A real second DHCP server is noticed by what it answers, with its address and
// its MAC, and the node that it answered is named; one that is permitted is not.
func TestSecondServerIsReported(t *testing.T) {
	s := newSite(t, "permitted-servers 10.0.0.3;\n"+strings.ReplaceAll(conf, "= 2;", "= 600;"))
	s.second("rogue", rogueMAC, "10.0.0.2")
	s.second("friend", "0a:bb:00:00:00:0a", "10.0.0.3")
	r := s.storm(bench.Config{Nodes: 3, Sequence: bench.DORA, Seed: 1, First: proto.MAC{0x52, 0x54, 0, 0, 9, 1}})
	t.Logf("%d of %d nodes got an address from somebody", r.Done, r.Boots)
	s.said("another DHCP server answers on this network: 10.0.0.2 at " + rogueMAC + " sent OFFER")
	s.said(`if it is meant to be there, write "permitted-servers 10.0.0.2;"`)
	s.said("52:54:00:00:09:01 was answered by another DHCP server, 10.0.0.2: OFFER with address 10.3.0.")
	if out := s.server.Output(); strings.Contains(out, "server answers on this network: 10.0.0.3") || strings.Contains(out, "another DHCP server, 10.0.0.3") {
		t.Errorf("the permitted server is reported:\n%s", out)
	}
}

// second starts dnsmasq on the segment.
func (s *site) second(name, mac, addr string) {
	s.Helper()
	h, err := s.lab.Client(name, mac)
	s.must(err)
	s.must(h.IP("address add " + addr + "/8 dev eth0"))
	p, err := h.Start("dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--bind-interfaces",
		"--user=root", "--log-facility=-", "--leasefile-ro", "--no-ping", "--pid-file="+s.dir+"/"+name+".pid",
		"--dhcp-range=10.3.0.1,10.3.0.99,255.0.0.0,10.255.255.255,10m")
	s.must(err)
	s.Cleanup(func() {
		_ = p.Signal(os.Kill)
		_, _ = p.Wait(patience)
	})
	_, err = p.WaitLine("DHCP, IP range", patience)
	s.must(err)
}
