package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What a service manager gives a user as ambient capabilities is the keeper's
// alone when the daemon serves, in the process that was started, and without a
// call of capset(2).
func TestAmbientCapabilities(t *testing.T) {
	s := newSite(t)
	if !mapped(t) {
		t.Skip("no second user exists here")
	}
	for _, dir := range []string{filepath.Dir(s.dir), s.dir} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	own := s.path("own")
	if err := os.Mkdir(own, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(own, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	const caps = "-all,+net_raw,+net_bind_service"
	p, err := s.node0.Start("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps="+caps, "--ambient-caps="+caps,
		"--bounding-set="+caps, "--no-new-privs", "env", asMain+"=1", programOf(t, s), "serve", "--interface", "eth1", "--config", s.path("dhcpd.conf"),
		"--tftp-root", s.path("root"), "--lease-file", filepath.Join(own, "dhcpd.leases"), "--run-dir", filepath.Join(own, "run"))
	if err != nil {
		t.Fatal(err)
	}
	s.said(p, "ready: ")
	s.said(p, "keeps no capability")
	s.boot()
	keeper, view := s.family(p)
	for pid, want := range map[int]string{p.Pid(): "0000000000000000", keeper: "0000000000002400", view: "0000000000000000"} {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
		for _, file := range threads {
			for field, want := range map[string]string{"Uid": "65534 65534 65534 65534", "CapEff": want, "CapPrm": want, "CapAmb": "0000000000000000", "Seccomp": "2"} {
				if got := status(t, file, field); got != want {
					t.Errorf("%s: %s is %s, want %s", file, field, got, want)
				}
			}
		}
	}
	if name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p.Pid())); strings.TrimSpace(string(name)) != "bootstorm" {
		t.Errorf("ps shows %q", name)
	}
	if status, out, errs := call("capture", "--run-dir", filepath.Join(own, "run")); status != 0 || !strings.Contains(errs, " frames, from ") {
		t.Errorf("the frames of before are not there: %d %d bytes, %s", status, len(out), errs)
	}
	s.signal(p, syscall.SIGTERM)
	s.ends(p, 0)
	gone(t, keeper)
	gone(t, view)
}

// programOf copies the program to where every user may execute it.
func programOf(t *testing.T, s *site) string {
	t.Helper()
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	copied, err := os.OpenFile(s.path("bootstorm"), os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if _, err := io.Copy(copied, self); err != nil {
		t.Fatal(err)
	}
	return copied.Name()
}
