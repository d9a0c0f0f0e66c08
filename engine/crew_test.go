package engine

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"bootstorm/proto"
)

// twoWorkers serves with two workers and returns the socket of the second.
func twoWorkers(t *testing.T, n *network) (*serving, *fakeSocket) {
	t.Helper()
	s := serve(t, n, guideText, func(c *Config) {
		c.Workers = 2
		if err := os.WriteFile(filepath.Join(c.Root, "a.bin"), []byte("first"), 0o644); err != nil {
			t.Fatal(err)
		}
	})
	s.said("2 workers: one answers DHCP, all of them TFTP")
	s.said("ready: ")
	return s, n.second()
}

// second returns the socket of the second worker.
func (n *network) second() *fakeSocket {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.others[0].(*fakeSocket)
}

// asks requests a file of a worker until it is answered as wanted.
func asks(t *testing.T, s *fakeSocket, file, want string) {
	t.Helper()
	var got []byte
	for end := time.Now().Add(20 * time.Second); !bytes.Equal(got, []byte(want)) && time.Now().Before(end); time.Sleep(time.Millisecond) {
		if b := s.popFrom(proto.PortTFTP); b != nil {
			got = b
			continue
		}
		s.deliver(rrq(nodeMAC(1), file, "octet"))
	}
	if !bytes.Equal(got, []byte(want)) {
		t.Errorf("answered %q, want %q", got, want)
	}
}

// TestSecondWorkerServesFiles: it answers requests, logs what it did, has the
// files that a reload brings, and takes no part in DHCP.
func TestSecondWorkerServesFiles(t *testing.T) {
	n := newNetwork()
	s, second := twoWorkers(t, n)
	asks(t, second, "a.bin", "\x00\x03\x00\x01first")
	second.deliver(dhcpFrame(nodeMAC(2), 1, 0, 0))
	if err := os.WriteFile(filepath.Join(s.dir, "root", "b.bin"), []byte("later"), 0o644); err != nil {
		t.Fatal(err)
	}
	syscall.Kill(os.Getpid(), syscall.SIGHUP)
	s.said("reloaded")
	asks(t, second, "b.bin", "\x00\x03\x00\x01later")
	second.deliver(rrq(nodeMAC(1), "c.bin", "octet"))
	s.said("asks for \"c.bin\", which is not there")
	if b := second.pop(); b != nil {
		t.Error("the second worker answered a DISCOVER")
	}
	if err := s.finish(); err != nil {
		t.Error(err)
	}
	s.said("stopped: ")
}

// TestWorkersGetNewSockets: an interface that was made again is opened for each.
func TestWorkersGetNewSockets(t *testing.T) {
	n := newNetwork()
	s, _ := twoWorkers(t, n)
	n.mu.Lock()
	n.stale = []string{"eth1"}
	n.mu.Unlock()
	s.said("opening the interfaces again")
	s.said("2 workers")
	asks(t, n.second(), "a.bin", "\x00\x03\x00\x01first")
}

// TestOneWorkerFails: the whole server ends, and says why.
func TestOneWorkerFails(t *testing.T) {
	n := newNetwork()
	s, second := twoWorkers(t, n)
	second.mu.Lock()
	second.fail = os.ErrInvalid
	second.mu.Unlock()
	select {
	case err := <-s.end:
		s.end <- err
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte("the worker failed: invalid argument")) {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the server goes on without a worker")
	}
}
