package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/lease"
	"bootstorm/pcap"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// TestAcknowledgedIsOnDisk ends the daemon in the middle of a storm, by kill -9
// and by SIGTERM, and finds every lease in its file that the network saw an ACK
// for.
func TestAcknowledgedIsOnDisk(t *testing.T) {
	t.Parallel()
	for _, end := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		t.Run(end.String(), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			if err := s.node0.IP("address add 10.0.0.1/16 dev eth1"); err != nil {
				t.Fatal(err)
			}
			s.write("dhcpd.conf", "subnet 10.0.0.0 netmask 255.255.0.0 { range 10.0.1.0 10.0.40.255; ping-check off; }\n")
			if err := s.client.IP("address add 10.0.250.1/16 dev eth0"); err != nil {
				t.Fatal(err)
			}
			p := s.start()
			s.said(p, "ready: ")
			capture, err := s.client.Capture("eth0", s.path("storm.pcap"))
			if err != nil {
				t.Fatal(err)
			}
			load, err := s.client.Start("perfdhcp", "-4", "-l", "eth0", "-r", "1500", "-R", "8000", "-p", "10")
			if err != nil {
				t.Fatal(err)
			}
			s.grown("dhcpd.leases", 200<<10) // some 1,000 leases
			s.signal(p, end)
			p.Wait(patience)
			load.Stop()
			if err := capture.Stop(); err != nil {
				t.Fatal(err)
			}
			acked := acknowledged(t, s.path("storm.pcap"))
			if len(acked) < 300 {
				t.Errorf("%d leases acknowledged: no storm", len(acked))
			}
			if lost := missingLeases(t, s.path("dhcpd.leases"), acked); len(lost) > 0 {
				t.Errorf("of %d leases acknowledged on the wire, %d are not in the file: %v", len(acked), len(lost), lost)
			}
		})
	}
}

// grown waits until a file has so many bytes.
func (s *site) grown(name string, size int64) {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if st, err := os.Stat(s.path(name)); err == nil && st.Size() >= size {
			return
		}
	}
	s.t.Fatalf("%s does not grow to %d bytes", name, size)
}

// acknowledged collects from a capture who was told by an ACK that an address is
// its own.
func acknowledged(t *testing.T, file string) map[proto.Addr]dhcp.HW {
	t.Helper()
	c, err := pcap.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	acked := map[proto.Addr]dhcp.HW{}
	var p proto.Packet
	var o dhcp.Options
	for _, r := range c.Records {
		if proto.ParseFrame(&p, r.Data, false) != proto.OK || p.Kind != proto.KindUDP || p.SrcPort != proto.PortBOOTPServer || !o.Parse(p.Payload) {
			continue
		}
		if kind, _ := o.MessageType(); kind == dhcp.Ack {
			h := dhcp.View(p.Payload)
			hw, _ := h.HW()
			acked[h.YIAddr()] = hw
		}
	}
	return acked
}

// missingLeases returns the addresses whose lease in the file is not that of the
// client.
func missingLeases(t *testing.T, file string, acked map[proto.Addr]dhcp.HW) (lost []string) {
	t.Helper()
	r, err := lease.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	found := map[proto.Addr]dhcp.HW{}
	for i := range r.Leases {
		if r.Leases[i].State == batch.LeaseActive {
			found[r.Leases[i].Addr] = r.Leases[i].HW
		}
	}
	for a, hw := range acked {
		if found[a] != hw {
			lost = append(lost, fmt.Sprint(a))
		}
	}
	return lost
}

// TestDhcpdTakesOver starts the real dhcpd on a lease file of ours, and ours on
// its: each finds the other's lease.
func TestDhcpdTakesOver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.start()
	s.said(p, "ready: ")
	address := s.boot()
	s.signal(p, syscall.SIGTERM)
	s.ends(p, 0)
	if err := os.Chmod(s.dir, 0o777); err != nil { // dhcpd gives up root's rights
		t.Fatal(err)
	}
	theirs, err := s.node0.Start("dhcpd", "-4", "-f", "-d", "-user", "root", "-group", "root", "-cf", s.path("dhcpd.conf"), "-lf", s.path("dhcpd.leases"),
		"-pf", filepath.Join(s.dir, "dhcpd.pid"), "eth1")
	if err != nil {
		t.Fatal(err)
	}
	s.said(theirs, "Wrote 1 leases to leases file.")
	s.said(theirs, "Sending on   LPF/eth1")
	theirs.Stop()
	p = s.start()
	s.said(p, "leases: 1 in ")
	s.said(p, "ready: ")
	if got := s.boot(); got != address {
		t.Errorf("%s after dhcpd had the file, %s before", got, address)
	}
}
