package core

import (
	"math"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// restart makes a new core from what the journal holds.
func (w *world) restart(p *plan.Plan) {
	w.t.Helper()
	latest := map[proto.Addr]batch.Lease{}
	for _, l := range w.journal {
		latest[l.Addr] = l
	}
	var leases []batch.Lease
	for _, l := range latest {
		leases = append(leases, l)
	}
	w.core = New(smallConfig(p))
	if kept := w.core.Restore(w.now, leases); kept != len(leases) {
		w.t.Errorf("%d of %d leases kept", kept, len(leases))
	}
}

func TestRestartKeepsLeases(t *testing.T) {
	w := newWorld(t, guide)
	for n := range byte(3) {
		w.lease(machine(n + 1).ipxe())
	}
	w.ask(leaving(machine(2), 3))
	last := w.journal[len(w.journal)-1].Seq
	w.now.Mono = 5 * batch.Second // the clock of another boot
	w.now.Wall += 600
	w.restart(buildPlan(t, guide))
	for n := range byte(3) {
		w.want(machine(n+1).firmware(), dhcp.Offer, host(n+2))
	}
	w.want(machine(9), dhcp.Offer, host(5)) // never used before given back
	a := w.want(machine(1).renewing(host(2)), dhcp.Ack, host(2))
	if a.seconds() != 6600 {
		t.Errorf("%d s remain", a.seconds())
	}
	w.leap(6601)
	if r := w.journal[len(w.journal)-1]; r.State != batch.LeaseFree || r.Seq <= last {
		t.Errorf("after the restored end: %+v", r)
	}
}

func TestRestartForgetsOffersOnly(t *testing.T) {
	w := newWorld(t, guide)
	o := w.want(machine(1), dhcp.Offer, host(2))
	w.restart(buildPlan(t, guide))
	w.want(machine(1).selecting(o.yiaddr), dhcp.Ack, o.yiaddr) // as dhcpd: it is free
}

// In a pool with room to spare, what was offered before the restart is not at once
// offered to others: the nodes still ask for it.
func TestRestartPassesOverOffers(t *testing.T) {
	const roomy = `subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.209; }`
	w := newWorld(t, roomy)
	w.lease(machine(1))
	var offered []*answer
	for n := range byte(20) {
		offered = append(offered, w.ask(machine(2+n)))
	}
	w.restart(buildPlan(t, roomy))
	for n := range byte(20) {
		w.lease(machine(100 + n))
	}
	for n, o := range offered {
		w.want(machine(2+byte(n)).selecting(o.yiaddr), dhcp.Ack, o.yiaddr)
	}
	w.want(machine(1), dhcp.Offer, host(10))
}

func TestRecordNumbersGoOn(t *testing.T) {
	w := newWorld(t, plain)
	w.core.Restore(w.now, []batch.Lease{{Addr: host(10), Seq: 41}, {Addr: host(11), Seq: 17}, {Addr: host(99), Seq: 55}})
	for n := range byte(5) {
		w.lease(machine(n))
	}
	for i, r := range w.journal {
		if r.Seq != uint64(56+i) {
			t.Errorf("record %d has number %d", i, r.Seq)
		}
	}
}

func TestExpiry(t *testing.T) {
	w := newWorld(t, guide)
	w.lease(machine(1))
	end := w.now.Wall + 7200
	if d := w.core.Deadline(); d > w.now.Mono+7200*batch.Second {
		t.Errorf("deadline %d", d)
	}
	w.leap(7199)
	if len(w.journal) != 1 {
		t.Fatal("the lease ended early")
	}
	w.leap(1)
	r := w.journal[len(w.journal)-1]
	if len(w.journal) != 2 || r.State != batch.LeaseFree || r.Ends != end || r.HW.MAC() != mac(1) || r.Seq != 2 {
		t.Errorf("record %+v", r)
	}
	if w.core.Counters().Expired != 1 {
		t.Error("not counted")
	}
}

// TestWallClockSteps: a jump of the wall clock ends and prolongs nothing, and the
// disk is told what the lease means by the new clock.
func TestWallClockSteps(t *testing.T) {
	for _, step := range []int64{-1_000_000_000, -3600, 3600, 1_000_000_000} {
		w := newWorld(t, plain)
		w.lease(machine(1))
		w.pass(10)
		w.now.Wall += step
		w.pass(10)
		r := w.journal[len(w.journal)-1]
		if len(w.journal) != 2 || r.State != batch.LeaseActive || r.Ends != w.now.Wall+43180 || r.Starts != w.now.Wall-20 || r.CLTT != r.Starts {
			t.Fatalf("after a step of %d s: %+v", step, r)
		}
		if a := w.want(machine(1).renewing(host(10)), dhcp.Ack, host(10)); a.seconds() != 43200-20 {
			t.Errorf("after a step of %d s: %d s remain", step, a.seconds())
		}
		w.leap(43200)
		if len(w.journal) != 3 || w.journal[2].State != batch.LeaseFree {
			t.Errorf("after a step of %d s the lease does not end", step)
		}
	}
}

func TestCacheThreshold(t *testing.T) {
	for _, c := range []struct {
		name    string
		conf    string
		after   int64
		change  func(m msg) msg
		writes  bool
		seconds uint32
	}{
		{"at once", "", 0, nil, false, 43200},
		{"within the first quarter", "", 10800, nil, false, 43200 - 10800},
		{"later", "", 10801, nil, true, 43200},
		{"threshold 10 %", "dhcp-cache-threshold 10;", 4321, nil, true, 43200},
		{"threshold 0: always written", "dhcp-cache-threshold 0;", 0, nil, true, 43200},
		{"host name changed", "", 0, func(m msg) msg { return m.with(dhcp.OptHostName, 'x') }, true, 43200},
		{"host name absent", "", 0, nil, false, 43200},
		{"identifier changed, ignored", "", 0, func(m msg) msg { return m.with(dhcp.OptClientID, 0, 1) }, false, 43200},
		{"identifier new, kept", "ignore-client-uids off;", 0, func(m msg) msg { return m.with(dhcp.OptClientID, 0, 1) }, true, 43200},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, plain+c.conf)
			w.lease(machine(1))
			w.leap(c.after)
			m := machine(1)
			if c.change != nil {
				m = c.change(m)
			}
			if o := w.want(m, dhcp.Offer, host(10)); o.seconds() != c.seconds {
				t.Errorf("offered %d s, want %d", o.seconds(), c.seconds)
			}
			if a := w.want(m.selecting(host(10)), dhcp.Ack, host(10)); a.seconds() != c.seconds {
				t.Errorf("acknowledged %d s, want %d", a.seconds(), c.seconds)
			}
			if wrote := len(w.journal) == 2; wrote != c.writes {
				t.Errorf("%d records", len(w.journal))
			}
		})
	}
}

// TestOfferThatFoundTheLeaseTooOld: the ACK then renews it, though it would be
// young enough again for a request a moment later.
func TestOfferAndACKAgreeOnRenewal(t *testing.T) {
	w := newWorld(t, plain)
	w.lease(machine(1))
	w.leap(20000)
	o := w.want(machine(1), dhcp.Offer, host(10))
	a := w.want(machine(1).selecting(host(10)), dhcp.Ack, host(10))
	if o.seconds() != 43200 || a.seconds() != 43200 || len(w.journal) != 2 {
		t.Errorf("offered %d s, acknowledged %d s, %d records", o.seconds(), a.seconds(), len(w.journal))
	}
}

func TestLeaseTimes(t *testing.T) {
	wish := func(s uint32) msg {
		return machine(1).with(dhcp.OptLeaseTime, byte(s>>24), byte(s>>16), byte(s>>8), byte(s))
	}
	for _, c := range []struct {
		name string
		conf string
		m    msg
		want uint32
	}{
		{"dhcpd's default", "", machine(1), 43200},
		{"default-lease-time", "default-lease-time 7200;", machine(1), 7200},
		{"asked for", "default-lease-time 7200;", wish(1000), 1000},
		{"asked for too much", "max-lease-time 900;", wish(1000), 900},
		{"asked for ever", "", wish(infinite), 86400},
		{"asked for ever, allowed", "max-lease-time 4294967295;", wish(infinite), infinite},
		{"asked for too little", "min-lease-time 1200;", wish(60), 1200},
		{"less than the built-in minimum", "", wish(60), 300},
		{"default below the built-in minimum", "default-lease-time 60; max-lease-time 100;", machine(1), 100},
		{"no minimum", "min-lease-time 0; default-lease-time 60;", machine(1), 60},
		{"asked for nothing, no minimum", "min-lease-time 0; default-lease-time 60;", wish(0), 0},
		{"malformed wish", "", machine(1).with(dhcp.OptLeaseTime, 1), 43200},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, plain+c.conf)
			if a := w.want(c.m, dhcp.Offer, host(10)); a.seconds() != c.want {
				t.Fatalf("offered %d s, want %d", a.seconds(), c.want)
			}
			if a := w.want(c.m.selecting(host(10)), dhcp.Ack, host(10)); a.seconds() != c.want {
				t.Fatalf("acknowledged %d s, want %d", a.seconds(), c.want)
			}
			r := w.journal[0]
			if c.want == infinite && r.Ends != batch.Forever || c.want != infinite && r.Ends-r.Starts != int64(c.want) {
				t.Errorf("record %+v", r)
			}
		})
	}
	w := newWorld(t, plain+"option dhcp-renewal-time 500; option dhcp-rebinding-time 99999;")
	a := w.want(machine(1).with(dhcp.OptParameterList, 58, 59), dhcp.Offer, host(10))
	if _, ok := a.options.Uint32(dhcp.OptRenewalTime); !ok || a.options.Has(dhcp.OptRebindingTime) {
		t.Error("a rebinding time behind the lease is sent, or a sound renewal time is not")
	}
}

func TestAdaptiveLeaseTime(t *testing.T) {
	w := newWorld(t, plain+"default-lease-time 40000; min-lease-time 600; dhcp-cache-threshold 0; adaptive-lease-time-threshold 50;")
	for n := range byte(5) {
		w.lease(machine(n))
	}
	if a := w.want(machine(9), dhcp.Offer, host(15)); a.seconds() != 600 {
		t.Errorf("in a half full pool: %d s", a.seconds())
	}
	w.leap(500) // the old leases run on: renewing does not cut them
	if a := w.want(machine(0).renewing(host(10)), dhcp.Ack, host(10)); a.seconds() != 39500 {
		t.Errorf("renewed for %d s", a.seconds())
	}
}

func TestInfiniteLeaseNeverEnds(t *testing.T) {
	w := newWorld(t, plain+"max-lease-time 4294967295; default-lease-time 4294967295;")
	w.lease(machine(1))
	w.leap(math.MaxInt32)
	if a := w.want(machine(1).renewing(host(10)), dhcp.Ack, host(10)); a.seconds() != infinite {
		t.Errorf("%d s remain", a.seconds())
	}
	if len(w.journal) != 1 {
		t.Errorf("%d records", len(w.journal))
	}
}

func TestReplaceKeepsEverything(t *testing.T) {
	w := newWorld(t, plain)
	w.lease(machine(1))
	w.slow = true
	w.ask(machine(2))
	w.ask(machine(2).selecting(host(11))) // held
	w.want(machine(3), dhcp.Offer, host(12))
	fresh := New(Config{Plan: buildPlan(t, `ping-check false; filename "new";
		subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.5 192.168.1.15; }`), Links: serverLinks()})
	old := w.core
	old.Replace(w.now, fresh)
	w.core = fresh
	if fresh.Counters().Discover != 3 || fresh.Held() != 1 || fresh.Leases() != old.Leases() || fresh.Events() != old.Events() {
		t.Error("counters, held ACKs or batches were left behind")
	}
	fresh.Durable(2, w.tx)
	if got := w.drain(nil); len(got) != 1 || got[0].yiaddr != host(11) {
		t.Error("the held ACK is lost")
	}
	w.slow = false
	w.want(machine(3).selecting(host(12)), dhcp.Ack, host(12))
	a := w.want(machine(1).renewing(host(10)), dhcp.Ack, host(10))
	if a.file() != "new" {
		t.Errorf("file %q", a.file())
	}
	if r := w.journal[len(w.journal)-1]; r.Seq != 3 {
		t.Errorf("record number %d", r.Seq)
	}
	w.want(machine(4), dhcp.Offer, host(5))
	w.leap(43200)
	n := 0
	w.core.EachLease(func(l *batch.Lease) {
		if l.State == batch.LeaseActive {
			n++
		}
	})
	if n != 0 {
		t.Errorf("%d leases did not end after the reload", n)
	}
}

func TestReplaceByAPlanWithoutTheNetwork(t *testing.T) {
	w := newWorld(t, plain)
	w.lease(machine(1))
	fresh := New(Config{Plan: buildPlan(t, `subnet 10.0.0.0 netmask 255.0.0.0 { range 10.0.0.1 10.0.0.9; }`), Links: serverLinks()})
	w.core.Replace(w.now, fresh)
	w.core = fresh
	w.silent(machine(1), batch.ReasonNoSubnet)
	fresh.EachLease(func(l *batch.Lease) { t.Errorf("lease %+v", l) })
}

func TestStashedAgentOptions(t *testing.T) {
	const conf = `ping-check false;
	class "blue" { match if option agent.circuit-id = "blue"; }
	subnet 192.168.1.0 netmask 255.255.255.0 { pool { range 192.168.1.10 192.168.1.19; allow members of "blue"; option domain-name "blue"; } }`
	m := machine(1).with(dhcp.OptRelayAgent, 1, 4, 'b', 'l', 'u', 'e')
	bare := machine(1)
	w := newWorld(t, conf)
	w.lease(m)
	a := w.want(bare.renewing(host(10)), dhcp.Ack, host(10))
	if a.option(15) != "blue" || a.options.Has(dhcp.OptRelayAgent) {
		t.Error("the renewal is not judged by the lease's agent options, or they are echoed")
	}
	w.want(machine(2).renewing(host(10)), dhcp.Nak, 0)
	w = newWorld(t, conf+"stash-agent-options off;")
	w.lease(m)
	w.want(bare.renewing(host(10)), dhcp.Nak, 0)
}

// TestRestartKeepsLeaseLimits: what was leased before counts from the first
// message on.
func TestRestartKeepsLeaseLimits(t *testing.T) {
	const conf = plain + `
	class "vm" { match if exists user-class; lease limit 2; }
	class "port" { spawn with option agent.circuit-id; lease limit 1; }`
	vm := func(n byte) msg { return machine(n).with(dhcp.OptUserClass, 'v') }
	port := func(n byte) msg { return machine(n).with(dhcp.OptRelayAgent, 1, 1, 'a').relayed(host(200)) }
	w := newWorld(t, conf)
	w.lease(vm(1))
	w.lease(vm(2))
	w.lease(port(3))
	w.lease(machine(4))
	w.restart(buildPlan(t, conf))
	w.silent(vm(5), batch.ReasonLeaseLimit)
	w.silent(port(6), batch.ReasonLeaseLimit)
	w.lease(machine(7))
	w.ask(leaving(vm(1), 10))
	w.lease(vm(5))
	w.restart(buildPlan(t, conf)) // the place was given back before
	w.silent(vm(1), batch.ReasonLeaseLimit)
}
