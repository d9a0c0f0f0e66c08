package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"bootstorm/engine/image"
	"bootstorm/engine/lease"
	"bootstorm/engine/link"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// TestFileChanges reads boot files again when they change on disk, and keeps
// silent when nothing really changed.
func TestFileChanges(t *testing.T) {
	n := newNetwork()
	s := serve(t, n, guideText)
	s.said("the boot file \"ipxe.efi\" is not below")
	s.said("ready: ")
	notify := func() {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			n.mu.Lock()
			change := n.change
			n.mu.Unlock()
			if change != nil {
				change()
				return
			}
		}
		t.Fatal("nobody watches")
	}
	file := filepath.Join(s.dir, "root", "ipxe.efi")
	// In one step: a file that is being written would be read empty first, for the
	// notice before.
	write := func(text string) error {
		whole := filepath.Join(s.dir, "whole")
		return errors.Join(os.WriteFile(whole, []byte(text), 0o644), os.Rename(whole, file))
	}
	for _, step := range []struct {
		do   func() error
		want string
	}{
		{func() error { return write("one") }, "boot files changed: 1 new, 0 changed, 0 gone"},
		{func() error { return write("two!") }, "boot files changed: 0 new, 1 changed, 0 gone"},
		{func() error { return os.Remove(file) }, "boot files changed: 0 new, 0 changed, 1 gone"},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		notify()
		notify() // once more for the same change
		s.said(step.want)
	}
	notify()
	time.Sleep(100 * time.Millisecond)
	if strings.Count(s.text(), "boot files changed") != 3 {
		t.Error(s.text())
	}
}

// TestRootVanishes keeps the files in memory when the root cannot be read, and
// serves addresses where there never was one.
func TestRootVanishes(t *testing.T) {
	n := newNetwork()
	s := serve(t, n, guideText, func(c *Config) {
		if err := os.WriteFile(filepath.Join(c.Root, "ipxe.efi"), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	})
	s.said("boot files: 1 file, 1 B of at most ")
	s.said("ready: ")
	if err := os.RemoveAll(filepath.Join(s.dir, "root")); err != nil {
		t.Fatal(err)
	}
	hangUp(t)
	s.said("SIGHUP: the old configuration and files stay in force: ")
	if err := s.finish(); err != nil {
		t.Fatal(err)
	}
	n = newNetwork()
	s = serve(t, n, guideText, func(c *Config) { c.Root = filepath.Join(c.Root, "none") })
	s.said("no boot file can be served: ")
	s.said("ready: ")
	if a := n.sock().lease(t, nodeMAC(1)); a.String() != "192.168.1.2" {
		t.Error(a)
	}
	hangUp(t)
	s.said("SIGHUP: reloaded")
	if err := os.MkdirAll(filepath.Join(s.dir, "root", "none"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "root", "none", "ipxe.efi"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	hangUp(t)
	s.said("boot files: 1 new, 0 changed, 0 gone")
}

// TestHandOver gives a full journal time to take the last records.
func TestHandOver(t *testing.T) {
	w, _ := newWorker(t)
	w.core.Leases().N = 1
	w.core.Leases().List[0].Seq = 1
	w.handOver(time.Second)
	if w.core.Leases().N != 0 {
		t.Error("a record was left behind")
	}
}

// TestPanicEndsServer ends with a message and the place, not with half a server.
func TestPanicEndsServer(t *testing.T) {
	zlog := zap.NewNop()
	n := newNetwork()
	dir := t.TempDir()
	conf := filepath.Join(dir, "dhcpd.conf")
	if err := os.WriteFile(conf, []byte(guideText), 0o644); err != nil {
		t.Fatal(err)
	}
	s := newServer(Config{Interfaces: []string{"eth1"}, File: conf, Root: dir, LeaseFile: filepath.Join(dir, "l"), Log: zlog, world: n.world()})
	defer s.close()
	if err := s.prepare(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.onWorker(func(*worker) { panic("impossible state") })
	err := s.manage(context.Background())
	if !errors.Is(err, errPanic) || !strings.Contains(err.Error(), "the worker failed: internal error: impossible state") {
		t.Error(err)
	}
	if err := s.stop(); err != nil {
		t.Errorf("stop after a panic: %v", err)
	}
	if _, err := lease.Read(s.LeaseFile); err != nil {
		t.Error(err)
	}
}

// TestJournalNotices passes on what the journal says.
func TestJournalNotices(t *testing.T) {
	n := newNetwork()
	s := serve(t, n, guideText)
	s.said("ready: ")
	other := newServer(Config{Log: zap.New(s.zcore), world: n.world()})
	defer other.close()
	other.journalNotice(lease.Notice{Err: errors.New("disk full"), Text: "free some"})
	other.journalNotice(lease.Notice{Text: "all is well"})
	s.said("disk full; free some")
	s.said("all is well")
}

func TestCompareFiles(t *testing.T) {
	set := func(files ...string) *image.Set {
		var list []image.File
		for i := 0; i < len(files); i += 2 {
			list = append(list, image.File{Name: files[i], Data: []byte(files[i+1])})
		}
		return image.Build(1, "/", list)
	}
	for _, c := range []struct {
		was, is *image.Set
		want    string
	}{
		{set(), set(), ""},
		{set("a", "1"), set("a", "1"), ""},
		{set("a", "1"), set("a", "2"), "0 new, 1 changed, 0 gone"},
		{set("a", "1"), set("b", "1"), "1 new, 0 changed, 1 gone"},
		{set("a", "1"), set("A", "1"), "1 new, 0 changed, 1 gone"},
		{set(), set("a", "1", "b", "2"), "2 new, 0 changed, 0 gone"},
	} {
		if got := compareFiles(c.was, c.is); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if got := count("host", 1, 1) + ", " + count("host", 1, 2); got != "1 host, 2 hosts (1 before)" {
		t.Error(got)
	}
}

func TestSameLink(t *testing.T) {
	base := plan.Link{Name: "eth1", MAC: proto.MAC{1}, MTU: 1500, Addrs: []plan.LinkAddr{{Addr: 1, Mask: 2}}}
	for name, change := range map[string]func(l *plan.Link){
		"mac": func(l *plan.Link) { l.MAC[5] = 9 }, "mtu": func(l *plan.Link) { l.MTU = 9000 },
		"address": func(l *plan.Link) { l.Addrs = []plan.LinkAddr{{Addr: 3, Mask: 2}} }, "mask": func(l *plan.Link) { l.Addrs = []plan.LinkAddr{{Addr: 1, Mask: 3}} },
		"no address": func(l *plan.Link) { l.Addrs = nil }, "more": func(l *plan.Link) { l.Addrs = append([]plan.LinkAddr{{Addr: 7}}, l.Addrs...) },
	} {
		other := base
		change(&other)
		if sameLink(&base, &other) {
			t.Errorf("%s: no difference seen", name)
		}
	}
	if same := base; !sameLink(&base, &same) {
		t.Error("a link differs from itself")
	}
}

// TestServed knows which interfaces a configuration serves.
func TestServed(t *testing.T) {
	p := compileTree("t.conf", parseText(`subnet 10.0.0.0 netmask 255.0.0.0 { }
shared-network n { subnet 172.16.0.0 netmask 255.255.0.0 { interface eth7; } }`)).Plan
	for _, c := range []struct {
		name, addr string
		want       bool
	}{
		{"eth1", "10.1.2.3", true}, {"eth1", "192.168.1.1", false}, {"eth7", "192.168.1.1", true}, {"eth7", "10.0.0.1", true},
	} {
		l := plan.Link{Name: c.name, Addrs: []plan.LinkAddr{{Addr: addr(c.addr), Mask: addr("255.255.255.0")}}}
		if got := served(p, &l); got != c.want {
			t.Errorf("%s %s: %v", c.name, c.addr, got)
		}
	}
}

// TestSystemWorld asks the real operating system what can be asked anywhere.
func TestSystemWorld(t *testing.T) {
	w := system()
	if _, _, err := w.inspect("none7"); err == nil {
		t.Error("an interface that does not exist")
	} else if gone := new(link.DownError); !errors.As(err, &gone) || !gone.Gone {
		t.Errorf("%v", err)
	}
	if _, err := w.open([]string{"none7"}, 2, link.Options{}); err == nil {
		t.Error("sockets on nothing")
	}
	if !w.exists("/proc/self") || w.exists("/proc/none7") {
		t.Error("exists")
	}
	if len(w.fallback()) == 0 {
		t.Error("nothing is built in")
	}
}

// TestWatchFiles hears of a change below a real directory, and ends.
func TestWatchFiles(t *testing.T) {
	dir := t.TempDir()
	changed, stop, ended := make(chan struct{}, 100), make(chan struct{}), make(chan error, 1)
	go func() { ended <- watchFiles(dir, func() { changed <- struct{}{} }, stop) }()
	deadline := time.After(20 * time.Second)
	for i, heard := 0, false; !heard; i++ {
		if err := os.WriteFile(filepath.Join(dir, "f"), []byte{byte(i)}, 0o644); err != nil {
			t.Fatal(err)
		}
		select {
		case <-changed:
			heard = true
		case <-time.After(20 * time.Millisecond): // the watch may not stand yet
		case <-deadline:
			t.Fatal("no change was heard of")
		}
	}
	close(stop)
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-deadline:
		t.Error("the watch does not end")
	}
}

func TestSmallParts(t *testing.T) {
	if got := strings.Join(distinct([]string{"b", "a", "b", "a"}), " "); got != "b a" {
		t.Error(got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	other := errors.New("other")
	if quiet(ctx, context.Canceled) == nil || quiet(ctx, other) != other {
		t.Error("an error is hushed up while the context runs")
	}
	cancel()
	if quiet(ctx, context.Canceled) != nil || quiet(ctx, other) != other {
		t.Error("the end of the context is no error, others are")
	}
	if err := Serve(ctx, Config{Log: zap.NewNop()}); err == nil || !strings.Contains(err.Error(), "--interface") {
		t.Error(err)
	}
}

// TestChangedViewSpeaksAgain repeats a warning after a reload: things have
// changed, and the operator wants to know whether that helped.
func TestChangedViewSpeaksAgain(t *testing.T) {
	n := newNetwork()
	s := serve(t, n, strings.Replace(guideText, "192.168.1.5;", "192.168.1.2;", 1))
	s.said("ready: ")
	n.sock().lease(t, nodeMAC(1))
	for range 2 {
		n.sock().deliver(dhcpFrame(nodeMAC(2), dhcp.Discover, 0, 0))
		s.said("is left without answer: no address is free: all 1 of 192.168.1.2 to 192.168.1.2")
		hangUp(t)
		s.said("SIGHUP: reloaded")
	}
}
