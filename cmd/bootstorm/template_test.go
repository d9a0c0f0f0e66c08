package main

import (
	"os"
	"strings"
	"testing"

	"bootstorm/tools/lab"
)

// bootedFor gives a client its address by a real dhclient and returns what a real
// TFTP client then gets under a name.
func (s *site) bootedFor(client *lab.Host, name string) string {
	s.t.Helper()
	s.client = client
	s.boot()
	return s.loaded(name)
}

// loaded is what a real TFTP client gets under a name. It asks again after a second,
// since a file that has to be filled in first is not sent to the first request.
func (s *site) loaded(name string) string {
	s.t.Helper()
	got := s.path("filled")
	os.Remove(got)
	status, out, err := s.client.Run(patience, "sh", "-c", `printf 'rexmt 1\nget %s %s\n' "$1" "$2" | tftp -m binary 192.168.1.1`, "sh", name, got)
	text, e := os.ReadFile(got)
	if err != nil || status != 0 || e != nil {
		s.t.Fatalf("tftp %s: %d %v %v\n%s", name, status, err, e, out)
	}
	return string(text)
}

// TestTemplate gives two nodes, one declared and one not, a refind.conf each of
// their own: the README's.
func TestTemplate(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	template := readmePart(t, "refind.conf.tmpl")
	s.write("root/refind.conf.tmpl", template)
	s.write("root/broken.cfg.tmpl", "a\n{{.Host")
	s.write("root/rack.cfg.tmpl", "{{.Option \"root-path\"}}")
	status, out, _ := call("check", "--config", s.path("dhcpd.conf"), "--tftp-root", s.path("root"), "--lease-file", s.path("dhcpd.leases"))
	if !strings.Contains(out, "broken.cfg.tmpl:2") {
		t.Errorf("check does not name the broken template: %d\n%s", status, out)
	}
	other, err := s.lab.Client("c2", "52:54:00:12:34:77")
	if err != nil {
		t.Fatal(err)
	}
	p := s.start("--view", "off")
	s.said(p, "broken.cfg.tmpl:2")
	s.said(p, "ready: ")
	first := s.bootedFor(s.client, "refind.conf")
	for _, part := range []string{"node_1", "BOOTIF=01-52-54-00-12-34-01", "ip=192.168.1.", ":255.255.255.240:"} {
		if !strings.Contains(first, part) {
			t.Errorf("the first node's file lacks %q:\n%s", part, first)
		}
	}
	node1 := s.client
	second := s.bootedFor(other, "/refind.conf")
	if !strings.Contains(second, "BOOTIF=01-52-54-00-12-34-77") || strings.Contains(second, "node_1") || second == first {
		t.Errorf("the second node's file:\n%s", second)
	}
	_, out, _ = s.client.Run(patience, "tftp", "-m", "binary", "192.168.1.1", "-c", "get", "rack.cfg", s.path("none"))
	if !strings.Contains(out, "File not found") {
		t.Errorf("a file that cannot be filled in: %s", out)
	}
	s.said(p, "no option root-path")
	// After a restart nobody has been offered anything: who asks, gets it all the same.
	s.signal(p, os.Interrupt)
	s.ends(p, 0)
	p = s.start("--view", "off")
	s.said(p, "ready: ")
	if again := s.loaded("refind.conf"); again != second {
		t.Errorf("after a restart:\n%s", again)
	}
	s.client = node1
	s.write("root/refind.conf.tmpl", "changed for {{.Host}}\n")
	s.said(p, "boot files changed: ")
	if got := s.loaded("refind.conf"); got != "changed for node_1\n" {
		t.Errorf("after a change: %q", got)
	}
}

// readmePart is the block of the README that shows a file, less its comment.
func readmePart(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "```\n# /srv/tftp/"+name+"\n")
	part, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("the README shows no %s", name)
	}
	return part
}
