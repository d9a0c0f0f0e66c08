package main

import (
	"strings"
	"testing"
)

// A hook that cannot work is refused before anything starts.
func TestHooksAreChecked(t *testing.T) {
	for flag, o := range map[string]hookOptions{"hook URL": {url: "ftp://x"}, "hook command": {command: "relative"}} {
		s := serveOptions{view: "on", http: off, hooks: o}
		if err := s.checkView(); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}
