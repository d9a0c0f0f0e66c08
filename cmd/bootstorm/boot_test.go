package main

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// TestBootOnce marks a node by the command, sees it in the list, in the
// explanation and after a restart of the daemon, and not any more when a real TFTP
// client has had the file.
func TestBootOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.start()
	s.said(p, "ready: ")
	s.family(p)
	boot := func(args ...string) (int, string) {
		status, out, errs := call(append([]string{"boot", "--run-dir", s.dir, "--interface", "run"}, args...)...)
		return status, out + errs
	}
	for _, c := range []struct {
		args   []string
		status int
		words  string
	}{
		{nil, 0, "no node is marked"},
		{[]string{"node_1", "--once", "rescue.ipxe"}, 1, `"rescue.ipxe" is not among the boot files`},
		{[]string{"node_7", "--once", "ipxe.efi"}, 1, `no node is known as "node_7"`},
		{[]string{"node_1", "--cancel"}, 1, "node_1 is not marked"},
		{[]string{"node_1"}, 2, "say what node_1 is to load"},
		{[]string{"--once", "ipxe.efi"}, 2, "name the node"},
		{[]string{"node_1", "--once", "ipxe.efi"}, 0, "node_1 loads ipxe.efi at its next boot, once"},
		{nil, 0, "52:54:00:12:34:01"},
		{[]string{"--json"}, 0, `"file": "ipxe.efi"`},
		{[]string{"52:54:00:12:34:01", "--cancel"}, 0, "boots as configured"},
		{nil, 0, "no node is marked"},
		{[]string{"52-54-00-12-34-01", "--once", "ipxe.efi"}, 0, "once"},
	} {
		if status, out := boot(c.args...); status != c.status || !strings.Contains(out, c.words) {
			t.Errorf("boot %q: status %d, want %d and %q:\n%s", c.args, status, c.status, c.words, out)
		}
	}
	s.signal(p, os.Interrupt)
	s.ends(p, 0)
	p = s.start()
	s.said(p, "node_1 loads ipxe.efi at its next boot, as ordered before")
	s.said(p, "ready: ")
	s.family(p)
	_, out, errs := call("explain", "--config", s.path("dhcpd.conf"), "--tftp-root", s.path("root"), "--lease-file", s.path("dhcpd.leases"),
		"--mac", "52:54:00:12:34:01", "--arch", "7")
	if !strings.Contains(out, markedOnce) {
		t.Errorf("explain does not name the mark:\n%s%s", out, errs)
	}
	s.boot()
	s.said(p, "node_1 has loaded ipxe.efi, as ordered")
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if status, body := s.ask("view.sock", "GET", "/api/boots"); status == http.StatusOK && strings.TrimSpace(body) == "[]" {
			break
		} else if time.Now().After(end) {
			t.Fatalf("%d %s", status, body)
		}
	}
}
