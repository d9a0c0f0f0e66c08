package core

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// TestSilentAddressGoesFirst: which address is offered by what is known of those
// at the head of the queue. age is that of the last probe in ms, from .10 on; -1:
// never probed.
func TestSilentAddressGoesFirst(t *testing.T) {
	ages := func(n, age int64, more ...int64) (list []int64) {
		for range n {
			list = append(list, age)
		}
		return append(list, more...)
	}
	for _, c := range []struct {
		name, conf string
		ages       []int64
		want       byte
	}{
		{"nothing is known: ascending", "", nil, 10},
		{"all are silent: ascending", "", []int64{5000, 5000, 5000}, 10},
		{"probed too lately", "", []int64{500, 500, 500}, 10},
		{"a later one is silent", "", []int64{500, -1, 1000}, 12},
		{"silence grows old", "", []int64{-1, 300_000, 299_999}, 12},
		{"a longer ping-timeout", "ping-timeout 5;", []int64{4000, 5000}, 11},
		{"a shorter one", "ping-timeout-ms 50;", []int64{49, 50}, 11},
		{"at the end of the choice", "", ages(15, -1, 5000), 25},
		{"beyond the choice", "", ages(16, -1, 5000), 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.conf+`subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.50; }`)
			for k, age := range c.ages {
				if age >= 0 {
					w.core.table.At(w.core.table.Find(host(10 + byte(k)))).Probed = w.now.Mono - age*batch.Millisecond
				}
			}
			w.want(machine(1), dhcp.Offer, host(c.want))
		})
	}
}

// TestPingTimeout in a whole run: the probes that go out at the start are young
// when the first machine asks, and have told something for the next.
func TestPingTimeout(t *testing.T) {
	w := newWorld(t, `ping-timeout 3; subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.90; }`)
	for range 10 {
		w.now.Mono += probeGap
		w.tick()
	}
	w.probed()
	w.now.Mono += 2 * batch.Second
	w.want(machine(1), dhcp.Offer, host(10))
	w.arp(host(11), mac(99)) // what answers is not offered
	w.now.Mono += batch.Second
	w.want(machine(2), dhcp.Offer, host(12))
	if got := w.probed(); len(got) != 0 {
		t.Errorf("probed with an OFFER: %v", got)
	}
}

// TestStormBringsFewProbes: ten thousand machines ask in the same instant for
// addresses that nothing is known of. Every one gets an OFFER at once, in
// ascending order; broadcasts are bounded by time, not by machines.
func TestStormBringsFewProbes(t *testing.T) {
	links := []plan.Link{{Name: "eth0", MAC: serverMAC, MTU: 1500, Addrs: []plan.LinkAddr{{Addr: proto.AddrOf(10, 0, 0, 1), Mask: 0xffff0000}}}}
	w := worldOf(t, Config{Links: links, Plan: buildPlan(t, `subnet 10.0.0.0 netmask 255.255.0.0 { range 10.0.1.0 10.0.254.255; }`)})
	const nodes = 10_000
	for i := range nodes {
		m := machine(0).firmware()
		m.mac[4], m.mac[5] = byte(i>>8), byte(i)
		w.want(m, dhcp.Offer, proto.AddrOf(10, 0, 1, 0)+proto.Addr(i))
		if i%100 == 99 { // 10 ms for each hundred: a second in all
			w.now.Mono += 10 * batch.Millisecond
			w.tick()
		}
	}
	if n := len(w.probes); n < probeFlight || n > 2*probeFlight { // the second that it takes begins another ping-timeout
		t.Errorf("%d probes in the first second", n)
	}
	w.probed()
	for range 1000 { // the ten seconds after it
		w.now.Mono += 10 * batch.Millisecond
		w.tick()
	}
	if n := len(w.probes); n == 0 || n > probeAhead {
		t.Errorf("%d probes after the storm", n)
	}
}

// TestCrowdIsCountedByInterface: pools on one segment share what it bears.
func TestCrowdIsCountedByInterface(t *testing.T) {
	w := newWorld(t, `subnet 192.168.1.0 netmask 255.255.255.0 {
		pool { range 192.168.1.10 192.168.1.99; } pool { range 192.168.1.100 192.168.1.250; } }`)
	for range 50 {
		w.now.Mono += probeGap
		w.tick()
	}
	if n := len(w.probed()); n != probeFlight {
		t.Errorf("%d in half a second", n)
	}
	if d := w.core.Deadline() - w.now.Mono; d <= 0 || d > batch.Second {
		t.Errorf("the next in %d ns", d)
	}
	w.now.Mono += batch.Second
	for range 50 {
		w.now.Mono += probeGap
		w.tick()
	}
	if n := len(w.probed()); n != probeFlight {
		t.Errorf("%d in half a second more", n)
	}
}
