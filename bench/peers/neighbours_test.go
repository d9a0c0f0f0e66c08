//go:build linux

package peers

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// What is raised is put back, whatever it was.
func TestNeighbours(t *testing.T) {
	dir := t.TempDir()
	var env string
	for i, name := range neighbourFiles {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, fmt.Appendf(nil, "%05d\n", 128<<i), 0o644); err != nil {
			t.Fatal(err)
		}
		fd, err := unix.Open(path, unix.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		env += fmt.Sprintf("%d,", fd)
	}
	t.Setenv(neighbourEnv, env)
	OpenNeighbourLimits() // they are open already
	n := inheritNeighbours()
	read := func() (all string) {
		for _, name := range neighbourFiles {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			all += string(text)
		}
		return all
	}
	before := read()
	if err := n.raise(); err != nil || read() != "32768\n32768\n32768\n" {
		t.Errorf("raised: %v, %q", err, read())
	}
	if err := n.restore(); err != nil || read() != before {
		t.Errorf("restored: %v, %q, was %q", err, read(), before)
	}
	for _, f := range n.files {
		f.Close()
	}
	if err := n.raise(); err == nil {
		t.Error("no error for files that are closed")
	}
}

func TestNoNeighbours(t *testing.T) {
	for _, env := range []string{"", "x"} {
		t.Setenv(neighbourEnv, env)
		n := inheritNeighbours()
		if len(n.files) != 0 || n.raise() != nil || n.restore() != nil {
			t.Errorf("%q: %+v", env, n)
		}
	}
}
