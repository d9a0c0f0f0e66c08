package core

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// TestGuideFourMachinesReboot is what the project exists for: the guide's four
// addresses serve four machines through any number of reboots, though each
// presents three client identifiers per boot.
func TestGuideFourMachinesReboot(t *testing.T) {
	w := newWorld(t, guide)
	var own [4]proto.Addr
	for boot := range 30 {
		for n := range own {
			m := machine(byte(n + 2))
			for stage, who := range []msg{m.firmware(), m.ipxe(), m.system()} {
				a := w.lease(who)
				if own[n] == 0 {
					own[n] = a
				}
				if a != own[n] {
					t.Fatalf("boot %d, machine %d, stage %d: %v, before %v", boot, n, stage, a, own[n])
				}
			}
		}
		w.leap(int64(29-boot) * 700) // some boots come after the leases have ended
	}
	for n := range own {
		for k := range n {
			if own[n] == own[k] {
				t.Errorf("machines %d and %d share %v", n, k, own[n])
			}
		}
	}
	w.silent(machine(9).firmware(), batch.ReasonNoFreeAddress)
}

// TestGuideFilesByArchitecture checks the decisions of the guide's file that
// reach a client through the header.
func TestGuideFilesByArchitecture(t *testing.T) {
	for _, c := range []struct {
		name  string
		m     msg
		file  string
		sname string
	}{
		{"x64 firmware", machine(1).with(dhcp.OptClientArch, 0, 7), "ipxe.efi", "node_1"},
		{"x64 iPXE", machine(2).with(dhcp.OptClientArch, 0, 7).with(dhcp.OptUserClass, []byte("iPXE")...), "refind.pxe", ""},
		{"x64 iPXE, RFC 3004 form", machine(2).with(dhcp.OptClientArch, 0, 7).with(dhcp.OptUserClass, []byte("\x04iPXE")...), "refind.pxe", ""},
		{"ia32 firmware", machine(2).with(dhcp.OptClientArch, 0, 6), "ipxe32.efi", ""},
		{"BIOS", machine(2).with(dhcp.OptClientArch, 0, 0), "", ""},
		{"no architecture", machine(1), "", "node_1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newWorld(t, guide).want(c.m, dhcp.Offer, host(2))
			if a.file() != c.file || a.sname() != c.sname || a.h.SIAddr() != serverAddr {
				t.Errorf("file %q, sname %q, siaddr %v", a.file(), a.sname(), a.h.SIAddr())
			}
			if a.seconds() != 7200 || a.option(dhcp.OptSubnetMask) != "\xff\xff\xff\xf0" ||
				a.option(dhcp.OptRouters) != "\xc0\xa8\x01\x01" || a.option(dhcp.OptServerID) != "\xc0\xa8\x01\x01" {
				t.Error("lease time, mask, router or server identifier are wrong")
			}
		})
	}
}

// The events of replies say what the node was told to load, so that an
// observer can tell "nothing" from "nothing arrived".
func TestEventsOfRepliesNameTheBootFile(t *testing.T) {
	for _, c := range []struct {
		m    msg
		file string
	}{
		{machine(1).with(dhcp.OptClientArch, 0, 7), "ipxe.efi"},
		{machine(2).with(dhcp.OptClientArch, 0, 7).with(dhcp.OptUserClass, []byte("iPXE")...), "refind.pxe"},
		{machine(2).with(dhcp.OptClientArch, 0, 0), ""},
	} {
		w := newWorld(t, guide)
		w.lease(c.m)
		if e := w.last(batch.EventAck); e == nil || zeroTerminated(e.Name[:]) != c.file {
			t.Errorf("the event of the acknowledgement names %+v, want %q", e, c.file)
		}
		w.want(c.m, dhcp.Offer, w.last(batch.EventAck).Addr)
		if e := w.last(batch.EventOffer); e == nil || zeroTerminated(e.Name[:]) != c.file {
			t.Errorf("the event of the offer names %+v, want %q", e, c.file)
		}
	}
}
