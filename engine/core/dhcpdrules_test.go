package core

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto/dhcp"
)

// Rules of dhcpd that its manual does not tell; tools/conform found them by
// asking dhcpd.

// Firmware and system are of different classes, so of different pools: each gets
// its own address again at the next boot, not a new one.
func TestBootStagesKeepTheirAddresses(t *testing.T) {
	w := newWorld(t, `ping-check false;
	class "boot" { match if substring(option vendor-class-identifier, 0, 9) = "PXEClient"; }
	subnet 192.168.1.0 netmask 255.255.255.0 {
		pool { range 192.168.1.10 192.168.1.19; allow members of "boot"; }
		pool { range 192.168.1.20 192.168.1.29; deny members of "boot"; }
	}`)
	pxe := func(n byte) msg { return machine(n).with(dhcp.OptVendorClass, []byte("PXEClient")...) }
	for range 3 {
		for n := byte(1); n <= 3; n++ {
			w.want(pxe(n), dhcp.Offer, host(9+n))
			w.lease(pxe(n))
			w.want(machine(n), dhcp.Offer, host(19+n))
			w.lease(machine(n))
		}
		w.pass(600)
	}
	// An offer that was not taken stands as well.
	w.want(pxe(4), dhcp.Offer, host(13))
	w.want(machine(4), dhcp.Offer, host(23))
	w.lease(machine(4))
	w.want(pxe(5), dhcp.Offer, host(14))
	w.want(pxe(4), dhcp.Offer, host(13))
}

// A declaration whose fixed addresses are on other networks makes a client known
// to pools, but does not admit it where unknown clients are denied.
func TestDeclaredElsewhereIsNotAdmitted(t *testing.T) {
	const far = `host far { hardware ethernet 02:00:00:00:0c:01; fixed-address 10.9.9.9; }
		host near { hardware ethernet 02:00:00:00:0c:02; }`
	w := newWorld(t, plain+far+"deny unknown-clients;")
	w.silent(machine(1), batch.ReasonDenied)
	w.want(machine(2), dhcp.Offer, host(10))
	w = newWorld(t, `ping-check false; subnet 192.168.1.0 netmask 255.255.255.0 { pool { range 192.168.1.10 192.168.1.19; deny unknown-clients; } }`+far)
	w.want(machine(1), dhcp.Offer, host(10))
	w.silent(machine(3), batch.ReasonNotPermitted)
}

// In a pool declaration its lists alone say whether BOOTP clients may have an
// address; outside of one the range must be for them (dynamic-bootp).
func TestPoolDeclarationsServeBOOTP(t *testing.T) {
	for _, c := range []struct {
		name, ranges string
		served       bool
	}{
		{"in a pool", "pool { range 192.168.1.10 192.168.1.19; }", true},
		{"in a pool that denies them", "pool { range 192.168.1.10 192.168.1.19; deny dynamic bootp clients; }", false},
		{"in no pool", "range 192.168.1.10 192.168.1.19;", false},
		{"in no pool, but for them", "range dynamic-bootp 192.168.1.10 192.168.1.19;", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "ping-check false; subnet 192.168.1.0 netmask 255.255.255.0 { "+c.ranges+" }")
			if a := w.ask(machine(1).of(dhcp.BOOTP)); (a != nil) != c.served {
				t.Errorf("answered: %v", a != nil)
			}
		})
	}
}

// Classes are found before the host declaration, and a BOOTP client has none.
func TestClassesComeBeforeHosts(t *testing.T) {
	w := newWorld(t, `ping-check false; subnet 192.168.1.0 netmask 255.255.255.0 { range dynamic-bootp 192.168.1.10 192.168.1.19; }
		class "known" { match if known; filename "known"; }
		class "all" { match if substring(hardware, 0, 1) = 01; server-name "all"; }
		host k { hardware ethernet 02:00:00:00:0c:01; }`)
	if a := w.ask(machine(1)); a == nil || a.file() != "" || a.sname() != "all" {
		t.Errorf("DISCOVER: %+v", a)
	}
	if a := w.ask(machine(2).of(dhcp.BOOTP)); a == nil || a.sname() != "" {
		t.Errorf("BOOTP: %+v", a)
	}
}

// lease-time in an option is the time that the reply gives.
func TestLeaseTimeOfANewLease(t *testing.T) {
	w := newWorld(t, plain+`default-lease-time 4321; option lt code 200 = unsigned integer 32; option lt = encode-int(lease-time, 32);`)
	m := machine(1).with(dhcp.OptParameterList, 200)
	for _, m := range []msg{m, m.selecting(host(10))} {
		if a := w.ask(m); a == nil || a.option(200) != "\x00\x00\x10\xe1" || a.seconds() != 4321 {
			t.Errorf("%+v", a)
		}
	}
}

// An INFORM is answered to the address that the client has.
func TestInformIsNotBroadcast(t *testing.T) {
	w := newWorld(t, plain+"authoritative; always-broadcast on;")
	m := machine(1).of(dhcp.Inform)
	m.ciaddr = host(99)
	if a := w.ask(m); a == nil || a.h.Flags() != 0 {
		t.Errorf("%+v", a)
	}
	if a := w.ask(machine(2)); a == nil || a.h.Flags() != dhcp.FlagBcast {
		t.Errorf("%+v", a)
	}
}
