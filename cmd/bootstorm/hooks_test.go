package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// A file that does not exist makes the node stuck, and the command is told.
func TestHookCommand(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.write("hook", "#!/bin/sh\n{ echo \"$BOOTSTORM_KIND $BOOTSTORM_HOST\"; cat; echo; } >>"+s.path("heard")+"\n")
	if err := os.Chmod(s.path("hook"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := s.start("--hook-command", s.path("hook"))
	s.said(p, "ready: ")
	s.boot()
	s.client.Run(patience, "tftp", "-m", "binary", "192.168.1.1", "-c", "get", "not-there.efi", s.path("got"))
	var heard []byte
	for end := time.Now().Add(patience); time.Now().Before(end) && !strings.Contains(string(heard), `"kind":"node-stuck"`); time.Sleep(50 * time.Millisecond) {
		heard, _ = os.ReadFile(s.path("heard"))
	}
	if text := string(heard); !strings.Contains(text, "node-stuck node_1") || !strings.Contains(text, "not-there.efi") {
		t.Errorf("the command heard %q; the log:\n%s", text, p.Output())
	}
}

// A hook that cannot work is refused before anything starts.
func TestHooksAreChecked(t *testing.T) {
	for flag, o := range map[string]hookOptions{"hook URL": {url: "ftp://x"}, "hook command": {command: "relative"}} {
		s := serveOptions{view: "on", http: off, hooks: o}
		if err := s.checkView(); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}
