package crash

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bootstorm/bench"
	"bootstorm/proto"
)

// onDisk puts the lease file on a file system of its own, of a size in bytes. The private
// world of package lab has its own mounts, so nobody else sees it.
func (s *site) onDisk(size string) (mount string) {
	s.Helper()
	mount = filepath.Join(s.dir, "disk")
	s.must(os.Mkdir(mount, 0o755))
	s.must(unix.Mount("bootstorm", mount, "tmpfs", 0, "size="+size))
	s.Cleanup(func() {
		for unix.Unmount(mount, unix.MNT_DETACH) == nil { // a failed test may leave two
		}
	})
	s.leases = filepath.Join(mount, "dhcpd.leases")
	return mount
}

// fill leaves no room on the file system.
func (s *site) fill(mount string) {
	s.Helper()
	f, err := os.Create(filepath.Join(mount, "ballast"))
	s.must(err)
	defer f.Close()
	for size := 64 << 10; size > 0; {
		_, err := f.Write(make([]byte, size))
		switch {
		case errors.Is(err, syscall.ENOSPC):
			size /= 2
		default:
			s.must(err)
		}
	}
}

// boot has some nodes boot and waits until so many of their ACKs were seen, if
// any are wanted, else for their offers.
func (s *site) boot(c *crowd, first byte, nodes int, acks int) {
	s.Helper()
	storm, err := bench.NewStorm(bench.Config{Nodes: nodes, Sequence: bench.DORA, Seed: uint64(first),
		First: proto.MAC{0x52, 0x54, 0, 9, first, 0}}, contents())
	s.must(err)
	had, offers := c.acks, c.offers
	s.run(storm, c, func(now time.Duration) bool {
		if now > patience {
			s.Fatalf("%d of %d OFFERs, %d of %d ACKs\n%s", c.offers-offers, nodes, c.acks-had, acks, s.server.Output())
		}
		return acks > 0 && c.acks-had >= acks || acks == 0 && c.offers-offers >= nodes && now > time.Second
	})
	s.drain(c)
	// On a full disk the last page of the lease file may have room for some: they
	// are on disk, which is what counts, and crowd.missing checks it.
	if got := c.acks - had; acks == 0 && got >= nodes {
		s.Errorf("%d ACKs, want none or a few", got)
	}
}

// countedConf is for tests that count acknowledgements: nodes that want a lease and
// nothing else would be sent each a second time.
const countedConf = poolConf + "repeat-answers off;\n"

// fault is a disk that takes nothing for a while.
type fault struct {
	begin, end func(s *site, mount string)
	says       string
}

// inside runs a command among the server's mounts: ip netns exec gives each
// command its own.
func (s *site) inside(args ...string) {
	s.Helper()
	_, err := s.node0.Must(append([]string{"nsenter", "-t", strconv.Itoa(s.server.Pid()), "-m"}, args...)...)
	s.must(err)
}

// diskFaults are those that a small file system can have.
var diskFaults = map[string]fault{
	"full": {
		func(s *site, mount string) { s.fill(mount) },
		func(s *site, mount string) { s.must(os.Remove(filepath.Join(mount, "ballast"))) },
		"cannot be written: no space left on device"},
	// An open file keeps a file system from becoming read-only by request. An
	// empty read-only one over it comes near: the journal's file is gone from under
	// its name, and no new one can be made.
	"read-only": {
		func(s *site, mount string) { s.inside("mount", "-t", "tmpfs", "-o", "ro", "empty", mount) },
		func(s *site, mount string) { s.inside("umount", mount) },
		"read-only file system"},
}

// TestDisk fills the disk, or makes it read-only, under a running server: offers,
// boot files and renewals of young leases go on, no lease is acknowledged that is
// not on disk, log and metrics say so, and when the disk comes back so does
// everything, without a restart.
func TestDisk(t *testing.T) {
	for name, f := range diskFaults {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, countedConf)
			mount := s.onDisk("1m")
			s.start("--log-level", "info", "--view", "on")
			s.said("ready: ")
			s.shows("bootstorm_journal_failing 0")
			c := newCrowd()
			s.boot(c, 1, 20, 20)
			young := c.some(20)
			f.begin(s, mount)
			s.boot(c, 2, 20, 0)
			s.said(f.says)
			s.said("no address is given until the disk takes it")
			s.shows("bootstorm_journal_failing 1", `bootstorm_health{state="failing"} 1`)
			if got := s.ask(c, young, patience); got != 20 {
				t.Errorf("%d of 20 young leases confirmed", got)
			}
			f.end(s, mount)
			s.said("the lease file can be written again")
			s.shows("bootstorm_journal_failing 0")
			s.drain(c)
			s.boot(c, 3, 20, 20)
			s.kill()
			if bad := c.missing(s.leases); bad != nil || c.wrong != nil {
				t.Errorf("%v %v", bad, c.wrong)
			}
		})
	}
}

// shows waits until the server's metrics have all of these lines at a time.
func (s *site) shows(lines ...string) {
	s.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", "/run/bootstorm/eth1/view.sock")
	}}}
	defer client.CloseIdleConnections()
	var body []byte
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		answer, err := client.Get("http://bootstorm/metrics")
		if err != nil {
			continue // the view is not there yet
		}
		body, err = io.ReadAll(answer.Body)
		answer.Body.Close()
		if err == nil && !slices.ContainsFunc(lines, func(l string) bool { return !strings.Contains(string(body), "\n"+l+"\n") }) {
			return
		}
	}
	s.Fatalf("the metrics do not show %q:\n%s", lines, body)
}

// TestLeaseFileTakenAway deletes and replaces the lease file of a running
// server, which notices, says so, and loses nothing.
func TestLeaseFileTakenAway(t *testing.T) {
	s := newSite(t, countedConf)
	s.serve()
	c := newCrowd()
	s.boot(c, 1, 20, 20)
	s.must(os.Remove(s.leases))
	s.said("was changed while in use: it was deleted; it is written anew from memory")
	s.boot(c, 2, 20, 20)
	s.must(os.WriteFile(s.leases+".mine", []byte("# from a backup\n"), 0o644))
	s.must(os.Rename(s.leases+".mine", s.leases))
	s.boot(c, 3, 20, 20) // at once: what is acknowledged now is in no file but the new one
	s.said("another file took its place; it is written anew from memory")
	s.kill()
	if bad := c.missing(s.leases); bad != nil || c.wrong != nil {
		t.Errorf("%v %v", bad, c.wrong)
	}
	if kept, err := os.ReadFile(s.leases + ".replaced"); err != nil || string(kept) != "# from a backup\n" {
		t.Errorf("kept %q, %v", kept, err)
	}
	s.serve()
	all := c.some(60)
	if got := s.ask(c, all, patience); got != 60 || c.wrong != nil {
		t.Errorf("%d of 60 nodes came back, wrong: %v", got, c.wrong)
	}
}
