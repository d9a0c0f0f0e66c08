package main

import (
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestRungs boots with every way of receiving and sending forced, and refuses
// one that does not exist.
func TestRungs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, rx := range []string{"mmsg", "single"} {
		for _, tx := range []string{"gso", "csum", "mmsg", "single"} {
			p := s.start("--rx", rx, "--tx", tx, "--view", "off")
			line := s.said(p, "eth1: receive ")
			if !strings.Contains(line, "receive "+rx) || !strings.Contains(line, "send "+tx) {
				t.Error(line)
			}
			s.said(p, "ready: ")
			s.boot()
			s.signal(p, syscall.SIGTERM)
			s.ends(p, 0)
		}
	}
	p := s.start("--tx", "pigeon")
	s.ends(p, exitFailed)
	if !strings.Contains(p.Output(), "pigeon") {
		t.Error(p.Output())
	}
}

// TestJSONLog writes one object per line, with the parts of each message as
// fields.
func TestJSONLog(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.start("--log-format", "json", "--log-level", "debug")
	s.said(p, "ready: ")
	address := s.boot()
	s.said(p, `"event":"transfer_done"`)
	s.signal(p, syscall.SIGTERM)
	s.ends(p, 0)
	events := map[string]map[string]any{}
	for line := range strings.Lines(p.Output()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		for _, field := range []string{"level", "ts", "msg"} {
			if entry[field] == nil {
				t.Errorf("%s lacks %s", line, field)
			}
		}
		if name, ok := entry["event"].(string); ok {
			events[name] = entry
		}
	}
	for _, name := range []string{"discover", "offer", "request", "ack", "transfer_start", "transfer_done"} {
		if e := events[name]; e == nil || e["mac"] != "52:54:00:12:34:01" || e["host"] != "node_1" {
			t.Errorf("%s: %v", name, e)
		}
	}
	if e := events["ack"]; e["address"] != address || e["seconds"] != 7200.0 {
		t.Errorf("ack: %v", e)
	}
	if e := events["transfer_done"]; e["file"] != "ipxe.efi" || e["bytes"] != 100000.0 {
		t.Errorf("transfer_done: %v", e)
	}
}

// TestOperator asks the other commands about a running daemon: who has which
// address, and what a node would get on this very interface.
func TestOperator(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.start()
	s.said(p, "ready: ")
	address := s.boot()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ask := func(status int, args ...string) string {
		t.Helper()
		got, out, err := s.node0.Run(patience, append([]string{"env", asMain + "=1", self}, args...)...)
		if err != nil || got != status {
			t.Errorf("%v: status %d, %v\n%s", args, got, err, out)
		}
		return out
	}
	files := []string{"--config", s.path("dhcpd.conf"), "--lease-file", s.path("dhcpd.leases")}
	if out := ask(0, append([]string{"leases"}, files...)...); !strings.Contains(out, address+"  52:54:00:12:34:01  node_1  active  in 1 h 59 min") {
		t.Error(out)
	}
	var rows []row
	if err := json.Unmarshal([]byte(ask(0, append([]string{"leases", "--json"}, files...)...)), &rows); err != nil || len(rows) != 1 || rows[0].Address != address {
		t.Errorf("%v %v", rows, err)
	}
	out := ask(0, append([]string{"explain", "--interface", "eth1", "--mac", "52:54:00:12:34:01", "--arch", "7", "--tftp-root", s.path("root")}, files...)...)
	for _, want := range []string{"heard on eth1 (192.168.1.1)", address, "the lease or offer it holds", `boot file "ipxe.efi" is there: 100000 bytes`} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	if err := s.node0.IP("address add 172.16.5.1/24 dev lo"); err != nil {
		t.Fatal(err)
	}
	out = ask(exitFailed, append([]string{"explain", "--interface", "lo", "--mac", "52:54:00:12:34:01"}, files...)...)
	if !strings.Contains(out, "interface lo has no Ethernet address") {
		t.Error(out)
	}
	if !p.Running() {
		t.Errorf("the daemon has ended:\n%s", p.Output())
	}
}
