package main

import (
	"bytes"
	"os"
	"syscall"
	"testing"
)

// TestFilesChangeUnderTransfer replaces, truncates and deletes a file
// while a node reads it: the node gets the file that it began with. The next node
// gets what is there then.
func TestFilesChangeUnderTransfer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.start()
	s.said(p, "ready: ")
	s.boot()
	other := bytes.Repeat([]byte("another content\n"), 5000)
	for _, c := range []struct {
		name   string
		change func(path string) error
		says   string
	}{
		{"replaced", func(path string) error { s.write("fresh", string(other)); return os.Rename(s.path("fresh"), path) }, "0 new, 1 changed, 0 gone"},
		{"truncated", func(path string) error { return os.Truncate(path, 1000) }, "0 new, 1 changed, 0 gone"},
		{"deleted", os.Remove, "0 new, 0 changed, 1 gone"},
	} {
		p.Forget()
		want := s.largeFile()
		s.said(p, "boot files changed: ")
		get := s.fetch("large")
		p.Forget()
		if err := c.change(s.path("root/large")); err != nil {
			t.Fatal(err)
		}
		s.said(p, "boot files changed: "+c.says)
		s.signal(p, syscall.SIGHUP)
		s.said(p, "SIGHUP: reloaded")
		s.fetched(get, want)
		now, err := os.ReadFile(s.path("root/large"))
		if err == nil {
			s.fetched(s.fetch("large"), now)
		}
	}
}
