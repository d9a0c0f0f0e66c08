package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What is shipped is built with the Go that go.mod names, with the local one if
// that is as new, and with the local one but not silently where the other cannot
// be had.
func TestToolchainOfWhatIsShipped(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`(?m)^toolchain (go\d+\.\d+\.\d+)$`).FindStringSubmatch(string(mod))
	if want == nil {
		t.Fatal("go.mod names no toolchain")
	}
	dir := t.TempDir()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	for _, c := range []struct {
		name, local string
		fetched     int // exit status of the go command that is to fetch the other
		want        string
		warns       bool
	}{
		{"older, the other is there", "go1.26.0", 0, want[1], false},
		{"older, the other is not", "go1.26.0", 1, "local", true},
		{"the same", want[1], 1, "local", false},
		{"newer", "go1.100.0", 1, "local", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := "#!/bin/sh\n[ \"$1\" = env ] && { echo " + c.local + "; exit; }\necho 'go: no such host' >&2\nexit " + string(rune('0'+c.fetched)) + "\n"
			if err := os.WriteFile(filepath.Join(dir, "go"), []byte(fake), 0o755); err != nil {
				t.Fatal(err)
			}
			var out, warning strings.Builder
			cmd := exec.Command("../toolchain.sh")
			cmd.Stdout, cmd.Stderr = &out, &warning
			if err := cmd.Run(); err != nil || strings.TrimSpace(out.String()) != c.want {
				t.Errorf("%v, prints %q, want %q", err, out.String(), c.want)
			}
			if said := warning.String(); (said != "") != c.warns || c.warns && !(strings.Contains(said, want[1]) && strings.Contains(said, c.local) && strings.Contains(said, "no such host")) {
				t.Errorf("says %q", said)
			}
		})
	}
}
