package main

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// A node in the middle of a file has it whole, by the one request that it made, when
// the daemon is stopped and started again, as an upgrade does; what is kept for that
// serves once.
func TestTransferSurvivesARestart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	want := s.largeFile()
	time.Sleep(1200 * time.Millisecond) // what is fresher when it is read is not taken for the same later
	p := s.start()
	s.said(p, "ready: ")
	address := s.boot()
	get := s.fetch("large")
	s.signal(get, syscall.SIGSTOP) // or the machine might be too busy to find it in the middle
	s.signal(p, syscall.SIGTERM)
	s.ends(p, 0)
	kept := s.path("dhcpd.leases.transfers")
	if info, err := os.Stat(kept); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("nothing is kept for the next daemon: %v, %v\n%s", info, err, p.Output())
	}
	p = s.start()
	s.said(p, "transfers: 1 of 1 go on from before the restart")
	s.said(p, "ready: ")
	s.signal(get, syscall.SIGCONT)
	s.fetched(get, want)
	if _, err := os.Stat(kept); err == nil {
		t.Error("what was kept is still there")
	}
	if got := s.boot(); got != address {
		t.Errorf("%s after the restart, %s before", got, address)
	}

	// What cannot be read is said, and stops nothing.
	s.signal(p, syscall.SIGTERM)
	s.ends(p, 0)
	s.write("dhcpd.leases.transfers", "{")
	p = s.start()
	s.said(p, "transfers of before the restart do not go on, their nodes begin anew: ")
	s.said(p, "ready: ")
	s.boot()
}
