//go:build linux

package peers

import (
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestReadProc(t *testing.T) {
	t.Run("stat", func(t *testing.T) {
		const stat = "12 (odd) name (x) S 1 12 12 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 55"
		if got := statTime(stat); got != 1270*time.Millisecond {
			t.Errorf("%s, want user 1 s, system 200 ms, children 30 and 40 ms", got)
		}
		if got := afterName(stat)[0]; got != "S" {
			t.Errorf("state %q", got)
		}
		if statTime("") != 0 || statTime("1 (a) S 1") != 0 {
			t.Error("time out of nothing")
		}
	})
	t.Run("statm", func(t *testing.T) {
		for _, c := range []struct {
			text        string
			own, shared uint64
		}{{"900 50 20 1 0 30 0", 30, 20}, {"900 5 20 1", 0, 20}, {"900", 0, 0}, {"", 0, 0}} {
			if own, shared := statmPages(c.text); own != c.own || shared != c.shared {
				t.Errorf("%q: %d and %d", c.text, own, shared)
			}
		}
	})
	t.Run("status", func(t *testing.T) {
		if got := highWater("VmPeak:\t 5 kB\nVmHWM:\t  12 kB\nVmRSS:\t 1 kB\n"); got != 12<<10 {
			t.Errorf("%d bytes", got)
		}
		if highWater("Name: x\n") != 0 {
			t.Error("memory out of nothing")
		}
	})
}

// A server that ignores SIGCHLD never waits for its children: their time is
// counted all the same.
func TestMeterCountsForgottenChildren(t *testing.T) {
	if !asRoot(t) {
		return
	}
	c := exec.Command("sh", "-c", `trap "" CHLD; read go; for i in 1 2; do (i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done) & done; read done`)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); c.Wait() }()
	m := attach(c.Process.Pid)
	defer m.close()
	if m.source() != "perf task-clock" {
		t.Fatalf("the kernel refuses perf_event_open: %s", m.source())
	}
	before := m.read()
	if _, err := in.Write([]byte("go\n")); err != nil {
		t.Fatal(err)
	}
	const least = 10 * time.Millisecond
	for end := time.Now().Add(10 * time.Second); m.read()-before < least; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s counted", m.read()-before)
		}
	}
	plain := meter{pid: os.Getpid(), clock: -1}
	if plain.source() == m.source() || plain.read() < 0 {
		t.Error("without a clock /proc must be read")
	}
}

func TestTreeAndMemory(t *testing.T) {
	c := exec.Command("sh", "-c", "sleep 30 & sleep 30 & wait")
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { unix.Kill(-c.Process.Pid, unix.SIGKILL); c.Wait() }()
	var all []int
	for end := time.Now().Add(5 * time.Second); len(all) != 3 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		all = tree(c.Process.Pid)
	}
	if len(all) != 3 || all[0] != c.Process.Pid {
		t.Fatalf("tree %v, want the shell and two children", all)
	}
	one, three := memory(all[:1]), memory(all)
	if one == 0 || three < one {
		t.Errorf("%d bytes for one, %d for all", one, three)
	}
	if memory([]int{-1}) != 0 {
		t.Error("memory of nobody")
	}
}

// The sockets of another process, here our own, get a large receive buffer.
func TestEnlarge(t *testing.T) {
	if !asRoot(t) {
		return
	}
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if n, err := enlarge(os.Getpid()); err != nil || n < 1 {
		t.Fatalf("%d sockets, %v", n, err)
	}
	raw, err := c.(*net.UDPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	raw.Control(func(fd uintptr) { size, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF) })
	if err != nil || size != 2*tunedBuffer { // the kernel doubles it (socket(7))
		t.Errorf("buffer %d, %v", size, err)
	}
	if _, err := enlarge(1 << 30); err == nil {
		t.Error("no error for a process that does not exist")
	}
}

func TestBound(t *testing.T) {
	const table = "   sl  local_address rem_address   st\n  7: 0101A8C0:0045 00000000:0000 07\n  9: 00000000:0043 00000000:0000 07\n"
	for port, want := range map[int]bool{67: true, 69: true, 68: false, 4011: false} {
		if bound(table, port) != want {
			t.Errorf("port %d: %v", port, !want)
		}
	}
}
