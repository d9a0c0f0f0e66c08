package main

import (
	"bytes"
	"testing"
	"time"

	"bootstorm/engine/lease"
)

// TestLeaseTable prints the table at a fixed time.
func TestLeaseTable(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	defer func() { time.Local = local }()
	r, err := lease.Read("testdata/dhcpd.leases")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2030, 11, 23, 8, 58, 30, 0, time.UTC)
	hosts := hostNames("testdata/guide.conf")
	for name, all := range map[string]bool{"leases-table": false, "leases-all": true} {
		var b bytes.Buffer
		if err := writeTable(&b, leaseRows(r.Leases, hosts, now, all), now); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.String())
	}
	var b bytes.Buffer
	if err := writeTable(&b, leaseRows(nil, nil, now, true), now); err != nil || b.String() != "no leases\n" {
		t.Errorf("%q %v", b.String(), err)
	}
	b.Reset()
	if err := writeJSON(&b, leaseRows(nil, nil, now, true)); err != nil || b.String() != "[]\n" {
		t.Errorf("%q %v", b.String(), err)
	}
}
