package core

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

func TestAddressChoice(t *testing.T) {
	const fixed = plain + `host h { hardware ethernet 02:00:00:00:0c:07; fixed-address 192.168.1.50; }
		host far { hardware ethernet 02:00:00:00:0c:08; fixed-address 10.9.9.9; }
		host pooled { hardware ethernet 02:00:00:00:0c:06; fixed-address 192.168.1.10; }`
	for _, c := range []struct {
		name   string
		conf   string
		before func(w *world)
		m      msg
		addr   proto.Addr
	}{
		{"never used addresses ascend", plain, func(w *world) { w.lease(machine(2)) }, machine(1), host(11)},
		{"fixed address of the host", fixed, nil, machine(7), host(50)},
		{"fixed address elsewhere is none here", fixed, nil, machine(8), host(11)},
		{"a host's fixed address is nobody else's", fixed, nil, machine(1).asking(host(10)), host(11)},
		{"fixed address inside a range", fixed, nil, machine(6), host(10)},
		{"own lease before the address asked for", plain, func(w *world) { w.lease(machine(1)) }, machine(1).asking(host(15)), host(10)},
		{"own offer before the address asked for", plain, func(w *world) { w.ask(machine(1)) }, machine(1).asking(host(15)), host(10)},
		{"previous address though the lease ended", plain, func(w *world) {
			w.lease(machine(2))
			w.lease(machine(1))
			w.leap(100_000)
		}, machine(1), host(11)},
		{"address asked for, free", plain, nil, machine(1).asking(host(15)), host(15)},
		{"address asked for, leased", plain, func(w *world) { w.lease(machine(2)) }, machine(1).asking(host(10)), host(11)},
		{"address asked for, offered", plain, func(w *world) { w.ask(machine(2)) }, machine(1).asking(host(10)), host(11)},
		{"address asked for, in no pool", plain, nil, machine(1).asking(host(99)), host(10)},
		{"address asked for, foreign", plain, nil, machine(1).asking(proto.AddrOf(10, 0, 0, 1)), host(10)},
		{"longest free once all were used", plain, func(w *world) {
			for n := range byte(10) {
				w.lease(machine(20 + n))
				w.pass(1)
			}
			for _, n := range []byte{3, 1, 2} {
				m := machine(20 + n).of(dhcp.Release)
				m.ciaddr = host(10 + n)
				w.ask(m)
				w.pass(1)
			}
		}, machine(1), host(13)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.conf)
			if c.before != nil {
				c.before(w)
			}
			w.want(c.m, dhcp.Offer, c.addr)
		})
	}
}

func TestPoolsAndPermits(t *testing.T) {
	const conf = `ping-check false;
	class "boot" { match if substring(option vendor-class-identifier, 0, 9) = "PXEClient"; }
	subnet 192.168.1.0 netmask 255.255.255.0 {
		pool { range 192.168.1.10 192.168.1.11; allow members of "boot"; }
		pool { range 192.168.1.20 192.168.1.21; deny unknown-clients; }
	}
	host k { hardware ethernet 02:00:00:00:0c:07; }`
	w := newWorld(t, conf)
	pxe := func(n byte) msg { return machine(n).with(dhcp.OptVendorClass, []byte("PXEClient")...) }
	w.want(pxe(1), dhcp.Offer, host(10))
	w.want(machine(7), dhcp.Offer, host(20))
	w.silent(machine(2), batch.ReasonNotPermitted)
	if e := w.last(batch.EventSilence); e.Rule < 0 || w.core.Plan().Origins[e.Rule].Line == 0 {
		t.Error("the refusal does not name its line")
	}
	w.want(pxe(2).asking(host(21)), dhcp.Offer, host(11)) // asked for, but not permitted
	w.silent(pxe(3), batch.ReasonNoFreeAddress)
	w.want(pxe(7), dhcp.Offer, host(20)) // the offer it holds

	// A client that may keep its address no longer gives it up.
	w = newWorld(t, conf)
	w.lease(pxe(1))
	w.silent(machine(1), batch.ReasonNotPermitted)
	if r := w.journal[len(w.journal)-1]; r.State != batch.LeaseFree || r.Addr != host(10) {
		t.Errorf("the lease that is no longer permitted was not ended: %+v", r)
	}
}

func TestOffersAreHeld(t *testing.T) {
	w := newWorld(t, guide+"known-clients-first off;") // else they are for 15 s, when others ask
	for n := range byte(4) {
		w.want(machine(n+2), dhcp.Offer, host(n+2))
	}
	w.silent(machine(9), batch.ReasonNoFreeAddress)
	w.pass(119)
	w.silent(machine(9), batch.ReasonNoFreeAddress)
	w.want(machine(2), dhcp.Offer, host(2)) // repeated: held for another 120 s
	w.pass(1)
	w.want(machine(9), dhcp.Offer, host(3)) // the others have lapsed
	if len(w.journal) != 0 {
		t.Errorf("offers wrote %d records", len(w.journal))
	}
	w.want(machine(2).selecting(host(2)), dhcp.Ack, host(2))
}

func TestAbandonedAddressesAreTheLastResort(t *testing.T) {
	w := newWorld(t, guide)
	for n := range byte(4) {
		a := w.lease(machine(n + 2))
		if n < 2 {
			w.pass(1)
			w.ask(machine(n + 2).of(dhcp.Decline).naming(serverAddr).asking(a))
		}
	}
	if e := w.last(batch.EventAbandoned); e == nil || e.Addr != host(3) || e.Reason != batch.ReasonDeclinedByClient {
		t.Fatalf("event %+v", e)
	}
	w.want(machine(9), dhcp.Offer, host(2))
	if e := w.last(batch.EventReclaimed); e == nil || e.Addr != host(2) {
		t.Errorf("event %+v", e)
	}
	w.want(machine(9).selecting(host(2)), dhcp.Ack, host(2))
	w.want(machine(10), dhcp.Offer, host(3))
	w.silent(machine(11), batch.ReasonNoFreeAddress)
}

func TestAbandonedAddressesComeBack(t *testing.T) {
	w := newWorld(t, guide)
	a := w.lease(machine(2))
	w.ask(machine(2).of(dhcp.Decline).asking(a))
	if s := w.journal[len(w.journal)-1]; s.State != batch.LeaseAbandoned || s.Ends != w.now.Wall+86400 {
		t.Fatalf("record %+v", s)
	}
	w.leap(86401)
	if s := w.journal[len(w.journal)-1]; s.State != batch.LeaseFree || s.Addr != a {
		t.Errorf("record %+v", s)
	}
	if w.core.table.Free(0) != 4 {
		t.Errorf("%d addresses are free", w.core.table.Free(0))
	}
}

func TestClientIdentifiersKeptWhenTheFileSaysSo(t *testing.T) {
	w := newWorld(t, plain+"ignore-client-uids false;")
	a := w.lease(machine(1).firmware())
	if b := w.lease(machine(1).ipxe()); b != a { // a lease without an identifier may get one
		t.Errorf("%v, then %v with an identifier", a, b)
	}
	b := w.lease(machine(1).system())
	if b == a {
		t.Error("two identifiers share a lease")
	}
	if c := w.lease(machine(1).ipxe()); c != a {
		t.Errorf("the identifier's lease is not found: %v, want %v", c, a)
	}
	first := mac(1)
	id := append([]byte{1}, first[:]...)
	if r := w.journal[0]; r.ClientIDLen != 0 {
		t.Errorf("first record %+v", r)
	}
	if r := w.journal[1]; string(r.ClientID[:r.ClientIDLen]) != string(id) {
		t.Errorf("the identifier is not in the record: %+v", r)
	}
	w.want(machine(2).with(dhcp.OptClientID, id...), dhcp.Offer, a) // another card, the same client
}

// TestClientIdentifiersPerPool: ignore-client-uids is a statement of a scope,
// which is known only once the address is.
func TestClientIdentifiersPerPool(t *testing.T) {
	w := newWorld(t, `ping-check false;
	class "ids" { match if exists user-class; }
	subnet 192.168.1.0 netmask 255.255.255.0 {
		pool { range 192.168.1.10 192.168.1.19; deny members of "ids"; }
		pool { range 192.168.1.20 192.168.1.29; allow members of "ids"; ignore-client-uids off; }
	}`)
	in := func(n, id byte) msg { return machine(n).with(dhcp.OptUserClass, 'x').with(dhcp.OptClientID, 0, id) }
	if a, b := w.lease(in(1, 1)), w.lease(in(1, 2)); a != host(20) || b != host(21) {
		t.Errorf("where identifiers count: %v, %v", a, b)
	}
	out := func(n, id byte) msg { return machine(n).with(dhcp.OptClientID, 0, id) }
	if a, b := w.lease(out(2, 1)), w.lease(out(2, 2)); a != host(10) || b != host(10) {
		t.Errorf("where they do not: %v, %v", a, b)
	}
	if a := w.lease(in(3, 3)); a != host(22) {
		t.Errorf("after a change of mind: %v", a)
	}
}

func TestHostWithSeveralLinksIsOneNode(t *testing.T) {
	const two = `host node { hardware ethernet 02:00:00:00:0c:01; hardware ethernet 02:00:00:00:0c:02; `
	w := newWorld(t, plain+two+"}")
	a := w.lease(machine(1).firmware())
	if b := w.lease(machine(2).firmware()); b != a {
		t.Errorf("the second link got %v, the first %v", b, a)
	}
	if b := w.lease(machine(1).system()); b != a {
		t.Errorf("back on the first link: %v", b)
	}
	w.want(machine(3), dhcp.Offer, host(11))
	w = newWorld(t, plain+two+"fixed-address 192.168.1.77; }")
	if a, b := w.lease(machine(1)), w.lease(machine(2)); a != host(77) || b != host(77) {
		t.Errorf("fixed address: %v and %v", a, b)
	}
	if len(w.journal) != 0 {
		t.Error("a fixed address wrote a lease record")
	}
}

func TestLeaseLimits(t *testing.T) {
	const conf = plain + `
	class "vm" { match if exists user-class; lease limit 2; }
	class "port" { spawn with option agent.circuit-id; lease limit 1; }`
	w := newWorld(t, conf)
	vm := func(n byte) msg { return machine(n).with(dhcp.OptUserClass, 'v') }
	w.lease(vm(1))
	w.lease(vm(2))
	w.silent(vm(3), batch.ReasonLeaseLimit)
	w.lease(machine(4))
	w.lease(vm(2)) // one that counts already
	r := vm(1).of(dhcp.Release)
	r.ciaddr = host(10)
	w.ask(r)
	w.lease(vm(3))
	w.silent(vm(1), batch.ReasonLeaseLimit)
	w.leap(100_000)
	w.lease(vm(1))

	port := func(n, circuit byte) msg { return machine(n).with(dhcp.OptRelayAgent, 1, 1, circuit) }
	w = newWorld(t, conf)
	w.lease(port(1, 'a'))
	w.lease(port(2, 'b'))
	w.silent(port(3, 'a'), batch.ReasonLeaseLimit)
	w.lease(port(1, 'a'))
}

func TestPoliciesKeepClientsOut(t *testing.T) {
	known := `host k { hardware ethernet 02:00:00:00:0c:01; }`
	for _, c := range []struct {
		name string
		conf string
		m    msg
		why  batch.Reason // ReasonNone: an offer
	}{
		{"deny unknown-clients, unknown", "deny unknown-clients;" + known, machine(2), batch.ReasonDenied},
		{"deny unknown-clients, known", "deny unknown-clients;" + known, machine(1), batch.ReasonNone},
		{"ignore unknown-clients", "ignore unknown-clients;" + known, machine(2), batch.ReasonIgnored},
		{"deny booting", "deny booting;", machine(2), batch.ReasonDenied},
		{"ignore booting of one host", `host k { hardware ethernet 02:00:00:00:0c:01; ignore booting; }`, machine(1), batch.ReasonIgnored},
		{"ignore booting of another host", `host k { hardware ethernet 02:00:00:00:0c:01; ignore booting; }`, machine(2), batch.ReasonNone},
		{"min-secs not reached", "min-secs 3;", machine(1), batch.ReasonIgnored},
		{"min-secs reached", "min-secs 3;", msg{kind: dhcp.Discover, mac: mac(1), secs: 3}, batch.ReasonNone},
		{"deny bootp concerns no DHCP", "deny bootp;", machine(1), batch.ReasonNone},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, plain+c.conf)
			if c.why == batch.ReasonNone {
				w.want(c.m, dhcp.Offer, host(10))
				return
			}
			w.silent(c.m, c.why)
			if w.last(batch.EventSilence).Rule < 0 {
				t.Error("the silence does not name its line")
			}
		})
	}
}

func TestNoSubnetIsSilence(t *testing.T) {
	w := newWorld(t, `subnet 10.0.0.0 netmask 255.0.0.0 { range 10.0.0.1 10.0.0.9; }`)
	w.silent(machine(1), batch.ReasonNoSubnet)
	w.silent(machine(1).of(dhcp.BOOTP), batch.ReasonNoSubnet)
	w.silent(machine(1).rebooting(host(5)), batch.ReasonNoSubnet)
}

func TestOurOwnAddressIsNotGivenAway(t *testing.T) {
	w := newWorld(t, `ping-check false; subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.1 192.168.1.2; }`)
	w.want(machine(1).asking(serverAddr), dhcp.Offer, host(2))
	w.want(machine(2).rebooting(serverAddr), dhcp.Nak, 0)
	w.silent(machine(2), batch.ReasonNoFreeAddress)
}
