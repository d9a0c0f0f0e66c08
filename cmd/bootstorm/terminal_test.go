package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"bootstorm/bench"
	"bootstorm/bench/segment"
	"bootstorm/engine/story"
	"bootstorm/proto"
	"bootstorm/tools/lab"
)

// terminal is a command in a terminal of 80 columns and 24 lines, as an operator
// sees it.
type terminal struct {
	t      *testing.T
	pty    *os.File
	cmd    *exec.Cmd
	before unix.Termios
	read   chan struct{} // closed when nothing more comes

	mu     sync.Mutex
	screen *vt.Emulator
	shown  bool // the cursor
}

// inTerminal starts a command of bootstorm in a terminal.
func inTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	if err := pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, pty: master, screen: vt.NewEmulator(80, 24), shown: true, read: make(chan struct{})}
	term.screen.SetCallbacks(vt.Callbacks{CursorVisibility: func(shown bool) { term.shown = shown }})
	term.before = term.modes()
	term.cmd = exec.Command(self, args...)
	term.cmd.Env = append(os.Environ(), asMain+"=1", "TERM=xterm-256color", "LANG=C.UTF-8")
	term.cmd.Stdin, term.cmd.Stdout, term.cmd.Stderr = slave, slave, slave
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := term.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go term.show()
	go term.answer()
	t.Cleanup(func() {
		term.cmd.Process.Kill()
		term.cmd.Wait()
		master.Close()
		term.screen.Close()
		<-term.read
	})
	return term
}

// show brings what the command writes to the screen. At its end the terminal reports
// an error, since nobody has it open any more.
func (term *terminal) show() {
	defer close(term.read)
	buf := make([]byte, 4096)
	for {
		n, err := term.pty.Read(buf)
		term.mu.Lock()
		term.screen.Write(buf[:n])
		term.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// answer sends back what the command asked the terminal.
func (term *terminal) answer() {
	buf := make([]byte, 4096)
	for {
		n, err := term.screen.Read(buf)
		if err != nil {
			return
		}
		term.pty.Write(buf[:n])
	}
}

// modes are the settings of the terminal: echo, lines, signals.
func (term *terminal) modes() unix.Termios {
	term.t.Helper()
	modes, err := unix.IoctlGetTermios(int(term.pty.Fd()), unix.TCGETS)
	if err != nil {
		term.t.Fatal(err)
	}
	return *modes
}

// text is what stands on the screen.
func (term *terminal) text() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.screen.String()
}

// press sends keys.
func (term *terminal) press(keys string) {
	term.t.Helper()
	if _, err := term.pty.WriteString(keys); err != nil {
		term.t.Fatal(err)
	}
}

// sees waits until all of the texts stand on the screen at a time, and returns it.
func (term *terminal) sees(texts ...string) string {
	term.t.Helper()
	screen := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		screen = term.text()
		missing := 0
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				missing++
			}
		}
		if missing == 0 {
			return screen
		}
	}
	term.t.Fatalf("not %q on the screen:\n%s", texts, screen)
	return ""
}

// left checks that the command ends with status 0 and leaves the terminal as it was.
func (term *terminal) left() {
	term.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- term.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			term.t.Errorf("it ends with %v", err)
		}
	case <-time.After(patience):
		term.t.Fatalf("it does not end:\n%s", term.text())
	}
	<-term.read
	if after := term.modes(); after != term.before {
		term.t.Errorf("the terminal's modes are %+v, they were %+v", after, term.before)
	}
	term.mu.Lock()
	defer term.mu.Unlock()
	if term.screen.IsAltScreen() || !term.shown {
		term.t.Errorf("other screen %v, cursor shown %v", term.screen.IsAltScreen(), term.shown)
	}
}

// statusIs asks until bootstorm status ends with a status, and returns its output.
func (s *site) statusIs(status int, args ...string) (out, errs string) {
	s.t.Helper()
	got := -1
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if got, out, errs = call(append([]string{"status", "--run-dir", s.path("run")}, args...)...); got == status {
			return out, errs
		}
	}
	s.t.Fatalf("status %v: %d, want %d\n%s%s", args, got, status, out, errs)
	return "", ""
}

// storm boots simulated nodes on the client's segment until all are done or have
// failed; what they expect the files to hold is in a directory.
func (s *site) storm(expected string, c bench.Config) (r *bench.Result) {
	s.t.Helper()
	files, err := bench.ReadContents(s.path(expected))
	if err != nil {
		s.t.Fatal(err)
	}
	nodes, err := bench.NewStorm(c, files)
	if err != nil {
		s.t.Fatal(err)
	}
	var conn *segment.Conn
	if err := s.client.Do(func() (err error) {
		conn, err = segment.Open("eth0")
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	if r, err = bench.Run(s.t.Context(), nodes, conn, time.Second, nil); err != nil {
		s.t.Fatal(err)
	}
	return r
}

// stormSite has the guide's files and configuration, addresses for 13 nodes, an option
// of its own that is sent to everybody, a node whose boot file is not there, and a
// command that is told what happens.
func stormSite(t *testing.T) (s *site, p *lab.Process) {
	t.Helper()
	s = newSite(t)
	s.write("root/refind.pxe", "#!ipxe\nimgfetch --name refind.conf tftp://${next-server}/refind.conf\nchain tftp://${next-server}/refind_x64.efi\n")
	s.write("root/refind.conf", "timeout 5\n")
	s.write("root/refind_x64.efi", strings.Repeat("refind", 9000))
	guide, _ := os.ReadFile(s.path("dhcpd.conf"))
	s.write("dhcpd.conf", "host lost { hardware ethernet 52:54:00:00:02:01; filename \"lost.efi\"; }\noption site-rack code 224 = { unsigned integer 16, text };\n"+
		strings.Replace(string(guide), "192.168.1.5;", "192.168.1.14;\n    option site-rack 17 \"left\";\n"+
			"    option dhcp-parameter-request-list = concat (e0, option dhcp-parameter-request-list);", 1))
	s.write("hook", "#!/bin/sh\n{ echo \"$BOOTSTORM_KIND $BOOTSTORM_HOST\"; cat; echo; } >>"+s.path("heard")+"\n")
	if err := os.Chmod(s.path("hook"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.statusIs(exitUnknown)
	p = s.start("--hook-command", s.path("hook"))
	s.said(p, "ready: ")
	return s, p
}

// TestWatchAStorm looks at a real storm through a real terminal: totals, the list by
// a filter, the story of a node, its reason when it is stuck; and status says the same
// to people and to scripts, in each state. The hook command hears of the stuck node.
func TestWatchAStorm(t *testing.T) {
	t.Parallel()
	s, p := stormSite(t)
	if out, _ := s.statusIs(0); !strings.HasPrefix(out, "ok: ") {
		t.Errorf("before the storm: %s", out)
	}
	term := inTerminal(t, "watch", "--run-dir", s.path("run"))
	term.sees("0 nodes", "on eth1", "OK")

	r := s.storm("root", bench.Config{Nodes: 8, First: proto.MAC{0x52, 0x54, 0, 0, 1, 1}, Limit: int64(patience)})
	if !r.OK() || r.Done != 8 {
		t.Fatalf("%d of %d boots, %v\n%s", r.Done, r.Boots, r.Failures, p.Output())
	}
	term.sees("8 nodes  0 stuck  0 booting  8 booted", "52:54:00:00:01:08", "1-8 of 8")

	term.press("/01:05\r")
	term.sees("[01:05]", "1-1 of 1", "52:54:00:00:01:05")
	term.press("\r")
	term.sees("phase done", "booted in ", "took 192.168.1.", "has 192.168.1.", "told to load refind.pxe", "got refind_x64.efi, 54.0 kB in ")
	term.press("\x1b[H") // from the first step on
	term.sees("(DISCOVER) as uefi", "was offered 192.168.1.", "told to load ipxe.efi")
	s.siteOption(p)

	s.write("lost/lost.efi", "what the server does not have")
	r = s.storm("lost", bench.Config{Nodes: 1, First: proto.MAC{0x52, 0x54, 0, 0, 2, 1}, Limit: int64(time.Second)})
	if r.Failed != 1 {
		t.Fatalf("it boots without its file: %+v", r)
	}
	out, _ := s.statusIs(1)
	if !strings.HasPrefix(out, "degraded: 9 nodes: 1 stuck, ") || !strings.Contains(out, "lost.efi") {
		t.Errorf("a node is stuck:\n%s", out)
	}
	var stuck standing
	if out, _ := s.statusIs(1, "--json"); json.Unmarshal([]byte(out), &stuck) != nil || stuck.Health != story.HealthDegraded ||
		len(stuck.Stuck) != 1 || stuck.Stuck[0].MAC != "52:54:00:00:02:01" || stuck.Stuck[0].Reason == "" {
		t.Errorf("a node is stuck: %s", out)
	}
	s.hookHeard(p, "node-stuck lost", `"kind":"node-stuck"`, "lost.efi")
	term.press("\x1b")   // back to the list
	term.sees("[01:05]") // which is as it was left
	term.press("\x1b")   // all nodes
	term.sees("1-9 of 9", "DEGRADED", "1 stuck", "! lost ")
	term.press("\x1b[H\r")
	term.sees("lost  52:54:00:00:02:01", "stuck for", "why ", "lost.efi")

	if err := s.node0.IP("link set eth1 down"); err != nil {
		t.Fatal(err)
	}
	if out, _ := s.statusIs(2); !strings.HasPrefix(out, "failing: ") || !strings.Contains(out, "interface is gone or down") {
		t.Errorf("without its interface:\n%s", out)
	}
	term.press("\x1b")
	term.sees("FAILING", "gone or down")
	s.signal(p, syscall.SIGTERM)
	s.ends(p, 0)
	if out, errs := s.statusIs(exitUnknown, "--json"); out != "" || !strings.HasPrefix(errs, "bootstorm status: ") {
		t.Errorf("without a daemon: %q, %q", out, errs)
	}
	term.sees("9 nodes") // the last that it knew
	term.press("q")
	term.left()
}

// siteOption checks that an option that only this configuration defines is read by
// its definition in the frames of a node.
func (s *site) siteOption(p *lab.Process) {
	s.t.Helper()
	_, body := s.ask("view.sock", "GET", "/api/nodes/52:54:00:00:01:05/frames")
	if !strings.Contains(body, `{"code":"224","name":"site-rack","value":"17, \"left\""}`) {
		s.t.Errorf("option 224 in\n%.3000s\n%s", body, p.Output())
	}
}

// hookHeard waits until the hook command was told all of the texts.
func (s *site) hookHeard(p *lab.Process, texts ...string) {
	s.t.Helper()
	var heard []byte
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		heard, _ = os.ReadFile(s.path("heard"))
		missing := slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(string(heard), text) })
		if !missing {
			return
		}
	}
	s.t.Fatalf("the hook command heard %q, not all of %q; the log:\n%s", heard, texts, p.Output())
}
