package docs

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bootstorm/tools/lab"
)

func TestMain(m *testing.M) { lab.Main(m) }

// limit is how long one command may take.
const limit = 60 * time.Second

func TestExamplesOfTheDocumentation(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for _, name := range []string{"bootstorm", "bench"} {
		build := exec.Command("go", "build", "-o", bin, "./cmd/"+name)
		build.Dir = root
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("go build ./cmd/%s: %v\n%s", name, err, out)
		}
	}
	node0 := makeNode0(t, root)
	documents, _ := filepath.Glob(filepath.Join(root, "*.md"))
	more, _ := filepath.Glob(filepath.Join(root, "*/*.md"))
	ran := 0
	for _, path := range append(documents, more...) {
		name, _ := filepath.Rel(root, path)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		steps, err := Steps(string(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		ran += len(steps)
		t.Run(name, func(t *testing.T) { play(t, node0, bin, root, name, steps) })
	}
	if ran == 0 {
		t.Error("no document has an example")
	}
}

// makeNode0 makes the host of the guide with the file system that the examples
// expect. The lab's world has mounts of its own: nothing of this is seen
// outside.
func makeNode0(t *testing.T, root string) *lab.Host {
	l := lab.ForTest(t)
	node0, err := l.Node0("192.168.1.1/28")
	if err != nil {
		t.Fatal(err)
	}
	if err := node0.IP("link set eth1 down", "link set eth1 name bond0", "link set bond0 up"); err != nil {
		t.Fatal(err)
	}
	script := `set -e
		cp -r /etc /run/etc 2>/dev/null || test -r /run/etc/passwd # a user may not read all of it
		mount --bind /run/etc /etc
		for d in /srv /var/lib; do mkdir -p /run/own$d; mount --bind /run/own$d $d; done
		mkdir -p /etc/dhcp /srv/tftp
		cp "$1/engine/config/testdata/good/guide.conf" /etc/dhcp/dhcpd.conf
		cp /usr/lib/ipxe/ipxe.efi /usr/share/refind/refind/refind_x64.efi "$1"/tools/guide/refind.* /srv/tftp/`
	if out, err := exec.Command("bash", "-c", script, "bash", root).CombinedOutput(); err != nil {
		t.Fatalf("preparing Node 0: %v\n%s", err, out)
	}
	return node0
}

// play runs the steps in one shell.
func play(t *testing.T, node0 *lab.Host, bin, root, name string, steps []Step) {
	argv := node0.Command("bash", "--norc")
	shell := exec.Command(argv[0], argv[1:]...)
	shell.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "TERM=dumb", "COLUMNS=120")
	shell.Dir = root
	in, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, w := io.Pipe()
	shell.Stdout, shell.Stderr = w, w
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 10000)
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	for i, step := range steps {
		mark := fmt.Sprintf("-- end of step %d --", i)
		fmt.Fprintf(in, "%s\necho; echo '%s'\n", step.Command, mark)
		got := collect(lines, step, mark)
		if !step.Match(got) {
			t.Errorf("%s:%d: %s\nprinted:\n%s\nthe document says:\n%s", name, step.Line, step.Command, got,
				strings.Join(step.Output, "\n"))
		}
	}
	fmt.Fprint(in, "\nkill %1 2>/dev/null; wait; exit\n")
	in.Close()
	done := make(chan error, 1)
	go func() { done <- shell.Wait() }()
	select {
	case <-done:
	case <-time.After(limit):
		t.Errorf("%s: the shell did not end", name)
	}
	w.Close()
}

// collect returns what a command printed: up to the mark, and for one in the
// background until it has printed what is wanted.
func collect(lines <-chan string, step Step, mark string) string {
	var b strings.Builder
	deadline, marked := time.After(limit), false
	for {
		select {
		case line := <-lines:
			if line != mark {
				b.WriteString(line + "\n")
			} else {
				marked = true
			}
			if marked && (!step.Background() || step.Match(strings.TrimLeft(b.String(), "\n"))) {
				return strings.TrimLeft(b.String(), "\n")
			}
		case <-deadline:
			return b.String() + "(nothing more within the time limit)\n"
		}
	}
}
