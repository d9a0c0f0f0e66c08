package core

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// A machine that uses the fixed address of a host is reported with its MAC, in a
// range or not, once a minute for each address; the host's own machine, whichever
// of its hardware addresses it shows, is not. Nothing is taken from the host.
func TestFixedAddressUsedByAnother(t *testing.T) {
	w := newWorld(t, plain+`host h { hardware ethernet 02:00:00:00:0c:07; hardware ethernet 02:00:00:00:0c:17; fixed-address 192.168.1.50; }
		host pooled { hardware ethernet 02:00:00:00:0c:06; fixed-address 192.168.1.10; }`)
	other := machine(7).mac
	other[5] = 0x17
	w.arp(host(50), machine(7).mac)
	w.arp(host(50), other)
	w.arp(host(10), machine(6).mac)
	w.arp(host(51), rogueMAC) // nobody's
	if all := w.all(batch.EventConflict); len(all) != 0 {
		t.Fatalf("no conflict, but %+v", all)
	}
	for range 100 {
		w.arp(host(50), rogueMAC)
		w.arp(host(10), rogueMAC)
	}
	all := w.all(batch.EventConflict)
	if len(all) != 2 || all[0].Addr != host(50) || all[1].Addr != host(10) {
		t.Fatalf("%+v", all)
	}
	for _, e := range all {
		if proto.MAC(e.HW[:6]) != rogueMAC || e.Reason != batch.ReasonDuplicateAddress {
			t.Errorf("%+v", e)
		}
	}
	if len(w.all(batch.EventAbandoned)) != 0 {
		t.Error("a fixed address was taken out of service")
	}
}
