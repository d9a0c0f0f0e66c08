package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"bootstorm/engine/story"
	"bootstorm/pcap"
	"bootstorm/tools/lab"
)

// ask sends a request to a socket of the run directory and returns status and
// body.
func (s *site) ask(socket, method, path string) (int, string) {
	s.t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", s.path("run/"+socket))
	}}}
	r, err := http.NewRequest(method, "http://bootstorm"+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// node waits until the view shows the client as wanted.
func (s *site) node(p *lab.Process, wanted func(n story.Node) bool) story.Node {
	s.t.Helper()
	body := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var status int
		status, body = s.ask("view.sock", "GET", "/api/nodes/52:54:00:12:34:01")
		var n story.Node
		if status == http.StatusOK && json.Unmarshal([]byte(body), &n) == nil && wanted(n) {
			return n
		}
	}
	s.t.Fatalf("the node is not shown as it is:\n%s\n%s", body, p.Output())
	return story.Node{}
}

// children returns the processes whose parent is pid.
func children(t *testing.T, pid int) (list []int) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil || len(files) == 0 {
		t.Fatalf("children of %d: %v", pid, err)
	}
	for _, f := range files {
		text, _ := os.ReadFile(f)
		for field := range strings.FieldsSeq(string(text)) {
			child, _ := strconv.Atoi(field)
			list = append(list, child)
		}
	}
	return list
}

// childOf finds the child of a process that runs a hidden command, 0 if there is none.
// There may be others for a moment: package os forks one to try the kernel.
func childOf(t *testing.T, pid int, command string) int {
	t.Helper()
	for _, child := range children(t, pid) {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", child))
		if words := strings.Split(string(text), "\x00"); len(words) > 1 && words[1] == command {
			return child
		}
	}
	return 0
}

// family returns the keeper and the view of a daemon.
func (s *site) family(p *lab.Process) (keeper, view int) {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if keeper = childOf(s.t, p.Pid(), "keeper"); keeper != 0 {
			if view = childOf(s.t, keeper, "view"); view != 0 {
				return keeper, view
			}
		}
	}
	s.t.Fatalf("the daemon has no keeper with a view:\n%s", p.Output())
	return 0, 0
}

// gone waits until a process has ended.
func gone(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(text), ") Z ") {
			return
		}
	}
	t.Errorf("process %d has not ended", pid)
}

// TestView boots a node and finds it in the view, asks for an explanation and a
// reload, and finds every process gone at the end.
func TestView(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.start()
	s.said(p, "page: http://127.0.0.1:8067/")
	s.said(p, "ready: ")
	keeper, view := s.family(p)
	if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", view)); err != nil || string(text) != "500\n" {
		t.Errorf("when memory is short the view is not the first to go: %q, %v", text, err)
	}
	address := s.boot()
	n := s.node(p, func(n story.Node) bool { return n.Address == address && n.File == "ipxe.efi" && n.Percent == 100 })
	if n.Host != "node_1" || n.Bytes != 100000 || time.Since(n.Started) > time.Minute {
		t.Errorf("%+v", n)
	}
	if strings.Contains(p.Output(), " leased to ") {
		t.Error("the log tells of a step that the view shows")
	}
	if status, body := s.ask("view.sock", "GET", "/api/nodes/52:54:00:12:34:01/explain"); status != http.StatusOK ||
		!strings.Contains(body, "DISCOVER of 52:54:00:12:34:01 (host node_1)") || !strings.Contains(body, `boot file "ipxe.efi" is there: 100000 bytes`) {
		t.Errorf("%d %s", status, body)
	}
	if status, body := s.ask("view.sock", "GET", "/api/nodes/node_1/frames"); status != http.StatusOK || !strings.Contains(body, `"what":"OFFER"`) ||
		!strings.Contains(body, `"what":"RRQ"`) || !strings.Contains(body, `"code":"54","name":"dhcp-server-identifier","value":"192.168.1.1"`) {
		t.Errorf("its frames: %d %.2000s", status, body)
	}
	if status, body := s.ask("view.sock", "GET", "/metrics"); status != http.StatusOK || !strings.Contains(body, `bootstorm_boot_phase_duration_seconds_count{phase="load"} 1`) {
		t.Errorf("how long it loaded: %d\n%s", status, body)
	}
	s.operate(p)
	s.write("dhcpd.conf", "subnet 192.168.1.0 netmask 255.255.255.240 { range 192.168.1.2 }\n")
	if status, body := s.ask("control.sock", "POST", "/control/reload"); status == http.StatusOK || !strings.Contains(body, "the old configuration and files stay in force") {
		t.Errorf("%d %s", status, body)
	}
	s.said(p, "reload asked for by the operator: the old configuration and files stay in force")
	if status, out, errs := call("reload", "--run-dir", s.path("run")); status != exitFailed || out != "" ||
		!strings.Contains(errs, "the old configuration and files stay in force") || !strings.Contains(errs, "dhcpd.conf:1:") {
		t.Errorf("reload of an error: status %d\n%s%s", status, out, errs)
	}
	s.write("dhcpd.conf", "subnet 192.168.1.0 netmask 255.255.255.240 { range 192.168.1.2 192.168.1.9; }\n")
	if status, body := s.ask("control.sock", "POST", "/control/reload"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	if status, out, errs := call("reload", "--run-dir", s.path("run")); status != 0 || !strings.HasPrefix(out, "reloaded: ") {
		t.Errorf("reload: status %d\n%s%s", status, out, errs)
	}
	if status, out, errs := call("reload", "--run-dir", s.path("none")); status != exitFailed || !strings.Contains(errs, "no daemon runs here") {
		t.Errorf("reload of nobody: status %d\n%s%s", status, out, errs)
	}
	// As the unit has it, for a daemon without a view.
	if status, out, errs := call("reload", "--run-dir", s.path("none"), "--pid", fmt.Sprint(p.Pid())); status != 0 || !strings.Contains(out, "SIGHUP") {
		t.Errorf("reload by signal: status %d\n%s%s", status, out, errs)
	}
	s.said(p, "SIGHUP: reloaded")
	for file, want := range map[string]os.FileMode{"view.sock": 0o666, "control.sock": 0o600} {
		if info, err := os.Stat(s.path("run/" + file)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
	s.signal(p, syscall.SIGTERM)
	s.ends(p, 0)
	gone(t, keeper)
	gone(t, view)
	// The sockets that are left over hinder nobody.
	p = s.start()
	s.said(p, "ready: ")
	s.family(p)
	if status, _ := s.ask("view.sock", "GET", "/api/summary"); status != http.StatusOK {
		t.Errorf("after a new start: status %d", status)
	}
	if strings.Contains(p.Output(), "WARN") {
		t.Error(p.Output())
	}
}

// TestViewFails stops the view and kills it: the daemon goes on serving, says so,
// and has a new one. What kills the daemon leaves nothing behind.
func TestViewFails(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.start()
	s.said(p, "ready: ")
	keeper, view := s.family(p)
	s.boot()
	syscall.Kill(view, syscall.SIGSTOP)
	s.boot()
	syscall.Kill(view, syscall.SIGKILL)
	s.boot()
	s.said(p, "the view has ended (signal: killed): it is started again in ")
	var again int
	for end := time.Now().Add(patience); again == 0 || again == view; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no new view:\n%s", p.Output())
		}
		again = childOf(t, keeper, "view")
	}
	address := s.boot()
	s.node(p, func(n story.Node) bool { return n.Address == address && n.Percent == 100 })

	// A view that is stopped cannot see its feed end.
	syscall.Kill(again, syscall.SIGSTOP)
	s.signal(p, syscall.SIGKILL)
	p.Wait(patience)
	gone(t, keeper)
	gone(t, again)
}

// TestBootsBeforeTheView boots a node when the daemon is ready and its view is not
// there yet, and again after the view was killed and before there is another: each
// view shows the boot, DHCP and file. The keeper, which starts the view, is
// stopped meanwhile, so that it is late on any machine.
func TestBootsBeforeTheView(t *testing.T) {
	s := newSite(t)
	p := s.start()
	keeper := 0
	for end := time.Now().Add(patience); keeper == 0; time.Sleep(time.Millisecond) {
		if keeper = childOf(t, p.Pid(), "keeper"); time.Now().After(end) {
			t.Fatalf("no keeper:\n%s", p.Output())
		}
	}
	syscall.Kill(keeper, syscall.SIGSTOP)
	defer syscall.Kill(keeper, syscall.SIGCONT)
	s.said(p, "ready: ")
	late := childOf(t, keeper, "view") == 0
	for _, when := range []string{"at the start", "after a restart of the view"} {
		address := s.boot()
		syscall.Kill(keeper, syscall.SIGCONT)
		n := s.node(p, func(n story.Node) bool { return n.Address == address && n.File == "ipxe.efi" && n.Percent == 100 })
		t.Logf("%s: view later than the boot: %v", when, late)
		if n.Host != "node_1" || n.Boots != 2 { // dhclient is no firmware: its DHCP and the file count as two
			t.Errorf("%s (view later than the boot: %v): %+v", when, late, n)
		}
		if when != "at the start" {
			break
		}
		_, view := s.family(p)
		syscall.Kill(view, syscall.SIGKILL)
		s.said(p, "the view has ended (signal: killed): it is started again in ")
		syscall.Kill(keeper, syscall.SIGSTOP)
		late = childOf(t, keeper, "view") == 0
	}
	if strings.Contains(p.Output(), " are missing in the view") {
		t.Error(p.Output())
	}
}

// TestViewHangs stops the view for good: the daemon goes on serving, notices, says
// so, and has another that answers. At its end, nobody complains.
func TestViewHangs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.start("--view-patience", "2s")
	s.said(p, "ready: ")
	keeper, view := s.family(p)
	s.boot()
	s.node(p, func(n story.Node) bool { return n.Percent == 100 })
	syscall.Kill(view, syscall.SIGSTOP)
	s.boot()
	s.said(p, "the view has given no sign of life for 2 s: it hangs, is ended and started again; boots and leases are not affected")
	s.said(p, "the view has ended (signal: killed): it is started again in ")
	gone(t, view)
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if now := childOf(t, keeper, "view"); now != 0 && now != view {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("no new view:\n%s", p.Output())
		}
	}
	address := s.boot()
	s.node(p, func(n story.Node) bool { return n.Address == address && n.Percent == 100 })
	s.signal(p, syscall.SIGTERM)
	s.ends(p, 0)
	if strings.Contains(p.Output(), "bootstorm view:") {
		t.Errorf("an ordinary end is not silent:\n%s", p.Output())
	}
}

// ps calls the processes by what they do, every thread of them, in the first view
// and in the next; and what an operator sends to all that are called bootstorm
// ("pkill -HUP bootstorm") is the engine's to answer: the others go on, and end with it.
func TestNamesAndSignalsOfTheProcesses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.start()
	s.said(p, "ready: ")
	_, first := s.family(p)
	syscall.Kill(first, syscall.SIGKILL)
	s.said(p, "the view has ended (signal: killed): it is started again in ")
	gone(t, first)
	keeper, view := s.family(p)
	s.boot()
	s.node(p, func(n story.Node) bool { return n.Percent == 100 })
	for pid, want := range map[int]string{keeper: "bootstorm-keep", view: "bootstorm-view"} {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/comm", pid))
		if len(threads) == 0 {
			t.Errorf("%s has no threads", want)
		}
		for _, file := range threads {
			if name, err := os.ReadFile(file); err == nil && strings.TrimSpace(string(name)) != want {
				t.Errorf("%s is %q, want %s", file, name, want)
			}
		}
		if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err != nil || !strings.HasPrefix(string(line), "bootstorm\x00") {
			t.Errorf("%s was started as %q, %v", want, line, err)
		}
	}
	all := []int{view, keeper, p.Pid()} // the engine last: the others have time to do harm
	for _, pid := range all {
		syscall.Kill(pid, syscall.SIGHUP)
	}
	s.said(p, "SIGHUP: reloaded")
	syscall.Kill(view, syscall.SIGTERM)
	syscall.Kill(keeper, syscall.SIGTERM)
	s.boot()
	if k, v := s.family(p); k != keeper || v != view {
		t.Errorf("keeper %d and view %d are %d and %d now:\n%s", keeper, view, k, v, p.Output())
	}
	for _, pid := range all {
		syscall.Kill(pid, syscall.SIGTERM)
	}
	s.ends(p, 0)
	gone(t, keeper)
	gone(t, view)
	if out := p.Output(); strings.Count(out, "the view has ended") > 1 || strings.Contains(out, "restart the server") {
		t.Errorf("an ordinary end is not silent:\n%s", out)
	}
}

// TestViewHasNoAddress serves without the page when its address is taken.
func TestViewHasNoAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first := s.start("--log-level", "warn")
	s.family(first)
	if err := s.node0.IP("link add eth9 type veth peer name eth9p", "link set eth9 up", "link set eth9p up", "address add 192.168.9.1/28 dev eth9"); err != nil {
		t.Fatal(err)
	}
	s.write("nine.conf", "subnet 192.168.9.0 netmask 255.255.255.240 { range 192.168.9.2 192.168.9.5; }\n")
	p := s.start("--interface", "eth9", "--config", s.path("nine.conf"), "--lease-file", s.path("nine.leases"), "--run-dir", s.path("nine"))
	s.said(p, "the page is not served: 127.0.0.1:8067 is in use by another program (ss -tlnp shows which); name another address with --http, or --http off")
	s.said(p, "ready: ")
	third := s.start("--interface", "eth9p", "--lease-file", s.path("other.leases"), "--http", "off")
	s.said(third, "view.sock is another running server's; name another directory with --run-dir")
	if status, _ := s.ask("view.sock", "GET", "/api/summary"); status != http.StatusOK {
		t.Errorf("the first daemon's view: status %d", status)
	}
}

// operate asks the daemon with the operator's commands. What real clients sent
// and were answered is saved, and replays without a difference.
func (s *site) operate(p *lab.Process) {
	s.t.Helper()
	status, out, errs := call("status", "--run-dir", s.path("run"))
	if status != 0 || !strings.HasPrefix(out, "ok: 1 node: 0 stuck, ") {
		s.t.Errorf("status: %d, %s%s", status, out, errs)
	}
	status, out, errs = call("capture", "--run-dir", s.path("run"), "--node", "node_1")
	if status != 0 || !strings.Contains(errs, " frames of node_1, from ") {
		s.t.Fatalf("capture: %d, %s\n%s", status, errs, p.Output())
	}
	saved, err := pcap.Read([]byte(out))
	if err != nil {
		s.t.Fatal(err)
	}
	survey, err := pcap.Look(saved, pcap.Server{})
	if err != nil {
		s.t.Fatal(err)
	}
	o, _, err := pcap.Prepare(pcap.Site{Config: s.path("dhcpd.conf"), TFTPRoot: s.path("root")}, survey)
	if err != nil {
		s.t.Fatal(err)
	}
	o.Capture = saved
	r, err := pcap.Run(o)
	if err != nil || r.Answers < 2 || r.Transfers < 1 || r.Blocks < 60 {
		s.t.Errorf("%v; %d answers, %d transfers, %d blocks saved", err, r.Answers, r.Transfers, r.Blocks)
	}
	for _, d := range r.Differences {
		s.t.Errorf("replay: frame %d: %s: %s: %s | now %s | then %s", d.Record, d.Request, d.Message, d.Field, d.Ours, d.Theirs)
	}
}
