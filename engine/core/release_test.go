package core

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto/dhcp"
)

func leaving(m msg, last byte) msg {
	m = m.of(dhcp.Release).naming(serverAddr)
	m.ciaddr, m.src, m.dst = host(last), host(last), serverAddr
	return m
}

func TestRelease(t *testing.T) {
	for _, c := range []struct {
		name string
		m    msg
		ends bool
	}{
		{"by its owner", leaving(machine(1), 10), true},
		{"by its owner, with an identifier", leaving(machine(1).ipxe(), 10), true},
		{"by another machine", leaving(machine(2), 10), false},
		{"of a free address", leaving(machine(1), 11), false},
		{"of an address in no pool", leaving(machine(1), 99), false},
		{"without an address", machine(1).of(dhcp.Release), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, plain)
			w.lease(machine(1))
			w.pass(5)
			if w.ask(c.m) != nil {
				t.Fatal("a RELEASE was answered")
			}
			r := w.journal[len(w.journal)-1]
			if ended := r.State == batch.LeaseFree; ended != c.ends || c.ends && (r.Ends != w.now.Wall || r.HW.MAC() != mac(1)) {
				t.Errorf("record %+v", r)
			}
			w.want(machine(1), dhcp.Offer, host(10)) // remembered either way
		})
	}
}

func TestDecline(t *testing.T) {
	for _, c := range []struct {
		name   string
		conf   string
		before func(*world)
		m      msg
		why    batch.Reason // of the silence; ReasonNone: abandoned
	}{
		{"of a lease by its owner", plain, func(w *world) { w.lease(machine(1)) }, machine(1), batch.ReasonNone},
		{"of an offer by its client", plain, func(w *world) { w.ask(machine(1)) }, machine(1), batch.ReasonNone},
		{"of a lease by another machine", plain, func(w *world) { w.lease(machine(1)) }, machine(2), batch.ReasonUnknownLease},
		{"of a free address", plain, func(*world) {}, machine(1), batch.ReasonUnknownLease},
		{"of a former address", plain, func(w *world) { w.lease(machine(1)); w.ask(leaving(machine(1), 10)) }, machine(1), batch.ReasonUnknownLease},
		{"against deny declines", plain + "deny declines;", func(w *world) { w.lease(machine(1)) }, machine(1), batch.ReasonDenied},
		{"against ignore declines", plain + "ignore declines;", func(w *world) { w.lease(machine(1)) }, machine(1), batch.ReasonIgnored},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.conf)
			c.before(w)
			m := c.m.of(dhcp.Decline).naming(serverAddr).asking(host(10))
			if c.why != batch.ReasonNone {
				w.silent(m, c.why)
				return
			}
			if w.ask(m) != nil {
				t.Fatal("a DECLINE was answered")
			}
			r := w.journal[len(w.journal)-1]
			if r.State != batch.LeaseAbandoned || r.Addr != host(10) || r.Ends != w.now.Wall+86400 || r.HW.Len != 0 {
				t.Errorf("record %+v", r)
			}
			w.want(c.m, dhcp.Offer, host(11))
		})
	}
}

// TestAbandonLeaseTime: both ways in which an address is found in use.
func TestAbandonLeaseTime(t *testing.T) {
	for name, abandon := range map[string]func(*world){
		"declined": func(w *world) { w.ask(machine(1).of(dhcp.Decline).naming(serverAddr).asking(host(10))) },
		"ARP":      func(w *world) { w.arp(host(10), mac(99)) },
	} {
		w := newWorld(t, `abandon-lease-time 600; subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.19; }`)
		w.want(machine(1), dhcp.Offer, host(10))
		abandon(w)
		if r := w.journal[0]; r.State != batch.LeaseAbandoned || r.Ends != w.now.Wall+600 {
			t.Errorf("%s: record %+v", name, r)
		}
		w.leap(600)
		if r := w.journal[len(w.journal)-1]; r.State != batch.LeaseFree || r.Addr != host(10) {
			t.Errorf("%s: record %+v", name, r)
		}
	}
}
