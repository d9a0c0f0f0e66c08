//go:build linux

package link

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// checkError wants an error that contains text, or none if text is empty.
func checkError(t *testing.T, err error, text string) {
	t.Helper()
	switch {
	case text == "" && err != nil:
		t.Errorf("error %v, want none", err)
	case text != "" && (err == nil || !strings.Contains(err.Error(), text)):
		t.Errorf("error %v, want %q in it", err, text)
	}
}

// TestRealErrorStepsDown plays the kernel's answer to a first real super-frame
// that some driver cannot take: the rest goes by the next rung, for good.
func TestRealErrorStepsDown(t *testing.T) {
	cases := []struct {
		from  string
		errno unix.Errno
		then  Rung
	}{
		{"gso", unix.EINVAL, SendOffloaded}, {"gso", unix.EOPNOTSUPP, SendOffloaded}, {"gso", unix.EIO, SendOffloaded},
		{"csum", unix.EINVAL, SendBatch}, {"gso", unix.ENOSYS, SendSingle}, {"mmsg", unix.ENOSYS, SendSingle},
	}
	for _, c := range cases {
		t.Run(c.from+" "+c.errno.Error(), func(t *testing.T) {
			r := newRig(t)
			r.onWire()
			s, w := r.open(Options{TX: c.from}, "eth1"), r.tap(r.client, "eth0")
			s.links[0].forced = false // as if it had been chosen
			tx := batch.NewTx()
			addRun(tx, 0, 3001, 8, 1468, file(8*1468))
			want := framesOf(tx, 0)
			s.build(tx, 0, s.links[0].rung)
			if again, err := s.sendFailed(tx, &s.links[0], 0, c.errno); !again || err != nil {
				t.Fatalf("again %v, %v; want another try", again, err)
			}
			if s.links[0].rung != c.then || s.Stats().Downgrades != 1 {
				t.Errorf("rung %s, want %s", s.links[0].rung, c.then)
			}
			r.sendAll(s, tx)
			w.expect(want)
		})
	}
}

func TestForcedRungDoesNotStepDown(t *testing.T) {
	r := newRig(t)
	s := r.open(Options{TX: "gso"}, "eth1")
	tx := batch.NewTx()
	addRun(tx, 0, 3001, 8, 1468, file(8*1468))
	s.build(tx, 0, SendSegmented)
	again, err := s.sendFailed(tx, &s.links[0], 0, unix.EINVAL)
	if again || !errors.Is(err, errWrongRung) || s.links[0].rung != SendSegmented || s.Stats().Dropped != 8 {
		t.Errorf("again %v, %v, rung %s, %+v", again, err, s.links[0].rung, s.Stats())
	}
	if again, err := s.sendFailed(tx, &s.links[0], 0, unix.EBADF); again || !errors.Is(err, unix.EBADF) {
		t.Errorf("again %v, %v; want the error", again, err)
	}
}

// downOf returns the DownError in err, or ends the test.
func downOf(t *testing.T, err error) *DownError {
	t.Helper()
	var down *DownError
	if !errors.As(err, &down) {
		t.Fatalf("error %v, want a DownError", err)
	}
	return down
}

// recvError calls Recv until it fails.
func (r *rig) recvError(s *Set) error {
	r.Helper()
	var rx batch.Rx
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		if err := s.Recv(&rx); err != nil {
			return err
		}
		r.must(s.Wait(int64(10 * time.Millisecond)))
	}
	r.Fatal("no error from Recv")
	return nil
}

// quiet checks that nothing more is reported and that waiting does not spin.
func (r *rig) quiet(s *Set) {
	r.Helper()
	var rx batch.Rx
	polls := s.Stats().PollCalls
	for range 5 {
		r.must(s.Recv(&rx))
		r.must(s.Wait(int64(5 * time.Millisecond)))
	}
	if n := s.Stats().PollCalls - polls; n > 12 {
		r.Errorf("%d polls for five waits: it spins", n)
	}
}

// TestInterfaceGoesDownAndUp: the same Set works again when the interface does.
func TestInterfaceGoesDownAndUp(t *testing.T) {
	r := newRig(t)
	r.onWire()
	s := r.open(Options{}, "eth1")
	tx := batch.NewTx()
	for round := range 2 {
		r.must(r.server.IP("link set eth1 down"))
		if down := downOf(t, r.recvError(s)); down.Name != "eth1" || down.Gone || !errors.Is(down, unix.ENETDOWN) {
			t.Errorf("round %d: %v", round, down)
		}
		r.quiet(s)
		addFrame(tx, 0, 3000, "into the void")
		r.must(s.Send(tx)) // reported already
		if tx.N != 0 || s.Stats().Dropped != uint64(round+1) {
			t.Errorf("round %d: %d left, %d dropped", round, tx.N, s.Stats().Dropped)
		}
		if stale := s.Stale(); len(stale) != 0 {
			t.Errorf("round %d: stale %v", round, stale)
		}
		r.must(r.server.IP("link set eth1 up"))
		r.must(errors.Join(r.server.WaitUp("eth1"), r.client.WaitUp("eth0")))
		w := r.tap(r.client, "eth0")
		w.write(toServer(proto.PortTFTP, "rrq"))
		if got := len(r.receive(s, 1)); got != 1 {
			t.Errorf("round %d: %d frames after it came up", round, got)
		}
		addFrame(tx, 0, 3000, "answer")
		want := framesOf(tx, 0)
		r.must(s.Send(tx))
		w.expect(want)
	}
}

// TestSendFindsInterfaceDown: sending may be what finds out.
func TestSendFindsInterfaceDown(t *testing.T) {
	eachRung(t, func(r *rig, o Options) {
		s := r.open(o, "eth1")
		r.must(r.server.IP("link set eth1 down"))
		tx := batch.NewTx()
		addRun(tx, 0, 3000, 8, 1468, file(8*1468))
		addFrame(tx, 0, 3000, "x")
		if down := downOf(r.T, s.Send(tx)); down.Name != "eth1" || tx.N != 0 || s.Stats().Dropped != 9 {
			r.Errorf("%v, %d left, %d dropped", down, tx.N, s.Stats().Dropped)
		}
	})
}

// TestInterfaceMissing serves one interface while another does not exist: what is
// for that one is given up, and it is stale until the Set is opened again.
func TestInterfaceMissing(t *testing.T) {
	r := newRig(t)
	s, w := r.open(Options{}, "none", "eth1"), r.tap(r.client, "eth0")
	w.write(patch(toServer(proto.PortTFTP, "rrq"), 0, proto.Broadcast[:]...))
	if got := r.receive(s, 1); len(got) != 1 || got[0].Link != 1 {
		t.Errorf("%d frames, want one of the second interface", len(got))
	}
	tx := batch.NewTx()
	addFrame(tx, 0, 3000, "into the void")
	addFrame(tx, 1, 3001, "there")
	want := framesOf(tx, 1)
	r.sendAll(s, tx)
	w.expect(want)
	if got := s.Stats().Dropped; got != 1 {
		t.Errorf("%d messages given up, want that for the interface which does not exist", got)
	}
	if got := fmt.Sprint(s.Describe()[0], s.Stale()); got != "none: does not exist[none]" {
		t.Error(got)
	}
}

func TestInterfaceDeleted(t *testing.T) {
	r := newRig(t)
	s := r.open(Options{}, "eth1")
	r.must(r.server.IP("link del eth1"))
	if down := downOf(t, r.recvError(s)); down.Name != "eth1" {
		t.Errorf("%v", down)
	}
	r.quiet(s)
	tx := batch.NewTx()
	addFrame(tx, 0, 3000, "into the void")
	r.must(s.Send(tx))
	if tx.N != 0 {
		t.Error("a message for an interface that is gone remains")
	}
	r.must(r.server.Do(func() error {
		if stale := s.Stale(); fmt.Sprint(stale) != "[eth1]" {
			t.Errorf("stale %v, want eth1", stale)
		}
		_, err := Open([]string{"eth1"}, Options{})
		if down := downOf(t, err); !down.Gone || !strings.Contains(err.Error(), "interface eth1 does not exist") {
			t.Errorf("open: %v", err)
		}
		return nil
	}))
	// It comes back under another index: the old Set is stale, a new one works.
	r.must(r.lab.Join(r.server, "eth1", r.client, "eth0"))
	if stale := s.Stale(); fmt.Sprint(stale) != "[eth1]" {
		t.Errorf("stale %v, want eth1", stale)
	}
	fresh, w := r.open(Options{}, "eth1"), r.tap(r.client, "eth0")
	w.write(patch(toServer(proto.PortTFTP, "rrq"), 0, proto.Broadcast[:]...))
	if got := len(r.receive(fresh, 1)); got != 1 {
		t.Errorf("%d frames on the new interface", got)
	}
}

// TestOpenWhileDown: an interface that is down at start is served from the
// moment that it comes up.
func TestOpenWhileDown(t *testing.T) {
	r := newRig(t)
	r.must(r.server.IP("link set eth1 down"))
	s := r.open(Options{}, "eth1")
	if down := downOf(t, r.recvError(s)); down.Name != "eth1" || down.Gone {
		t.Errorf("%v", down)
	}
	r.quiet(s)
	r.must(r.server.IP("link set eth1 up"))
	r.must(errors.Join(r.server.WaitUp("eth1"), r.client.WaitUp("eth0")))
	w := r.tap(r.client, "eth0")
	w.write(toServer(proto.PortTFTP, "rrq"))
	if got := len(r.receive(s, 1)); got != 1 {
		t.Errorf("%d frames after it came up", got)
	}
}

func TestOpenErrors(t *testing.T) {
	r := newRig(t)
	r.must(r.server.Do(func() error {
		_, err := Open([]string{"lo"}, Options{})
		checkError(t, err, "lo has no Ethernet address")
		return nil
	}))
	r.must(withRefusals(r.server, []refusal{{call: unix.SYS_SOCKET, errno: unix.EPERM}}, func() error {
		ifi, err := findInterface("eth1")
		if err == nil { // the net package needs sockets too
			_, err = new(Options).rawSocket(0, ifi, proto.EtherTypeIPv4, nil)
		}
		if err == nil {
			t.Error("no error without the right to open sockets")
		}
		return nil
	}))
	checkError(t, explainOpen("eth1", os.NewSyscallError("socket", unix.EPERM)), "CAP_NET_RAW")
	checkError(t, explainOpen("eth1", unix.ENODEV), "interface eth1 does not exist")
	checkError(t, explainOpen("eth1", unix.EMFILE), "open a packet socket on eth1")
}

func TestHolderRemedies(t *testing.T) {
	cases := []struct{ name, want string }{
		{"dhcpd", "systemctl disable --now isc-dhcp-server"},
		{"in.tftpd", "systemctl disable --now tftpd-hpa"},
		{"kea-dhcp4", "systemctl disable --now kea-dhcp4-server"},
		{"systemd-network", "DHCPServer=yes"},
		{"bootstorm", "another bootstorm"},
		{"mystery", "stop it, or serve another interface"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := &PortError{Port: 67, Interface: "eth1", Holder: Holder{Pid: 42, Name: c.name}}
			checkError(t, err, "UDP port 67 on eth1 is in use by "+c.name+" (process 42)")
			checkError(t, err, c.want)
		})
	}
	unknown := &PortError{Port: 69, Interface: "eth1"}
	checkError(t, unknown, "in use by another process (ss -ulpn shows which)")
}

// TestFindHolder reads a made-up /proc.
func TestFindHolder(t *testing.T) {
	proc := t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(proc, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write("thread-self/net/udp", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"+
		" 123: 00000000:0043 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0 0\n"+
		" 124: 00000000:0045 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4712 2 0 0\n")
	write("77/comm", "dhcpd\n")
	write("self/comm", "not a process id\n")
	for _, l := range []struct{ name, target string }{{"77/fd/6", "socket:[4711]"}, {"77/fd/5", "/dev/null"}} {
		if err := errors.Join(os.MkdirAll(filepath.Join(proc, "77/fd"), 0o755), os.Symlink(l.target, filepath.Join(proc, l.name))); err != nil {
			t.Fatal(err)
		}
	}
	if got := findHolder(proc, 67); got != (Holder{77, "dhcpd"}) {
		t.Errorf("port 67: %+v", got)
	}
	if got := findHolder(proc, 69); got != (Holder{}) {
		t.Errorf("port 69, whose process is not visible: %+v", got)
	}
	if got := findHolder(filepath.Join(proc, "nosuch"), 67); got != (Holder{}) {
		t.Errorf("without /proc: %+v", got)
	}
}
