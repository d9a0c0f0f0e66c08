package keeper

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// start runs a keeper of an interface without a view, in this process, and returns
// the engine's end and what serve returns.
func start(t testing.TB) (*net.UnixConn, chan error) {
	t.Helper()
	ours, theirs, err := pair(syscall.SOCK_SEQPACKET)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := conn(ours)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	end, err := conn(theirs)
	if err != nil {
		t.Fatal(err)
	}
	k := &keeper{Config: Config{Interfaces: []string{"no such interface"}}, engine: end, asked: make(chan message)}
	ended := make(chan error, 1)
	go k.listen()
	go func() {
		err := k.serve()
		end.Close()
		ended <- err
	}()
	return engine, ended
}

// over waits for the keeper's end.
func over(t testing.TB, ended chan error) {
	t.Helper()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the keeper has not ended")
	}
}

// An engine that was taken over gets sockets of the interfaces that were named at
// the start, and nothing else; descriptors that it sends are closed.
func TestKeeperOpensNothingElse(t *testing.T) {
	engine, ended := start(t)
	before := descriptors(t)
	for _, m := range []message{{}, {Kind: "exec", Text: "/bin/sh"}, {Kind: kindView}, {Kind: kindSay, Text: "x"}, {Kind: kindOpened},
		{Kind: kindPacket, Interface: 1}, {Kind: kindPacket, Interface: -1}, {Kind: kindReserve, Interface: 1 << 40}, {Kind: kindReserve, Interface: -1 << 62}} {
		null, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		if err := send(engine, m, int(null.Fd()), int(null.Fd())); err != nil {
			t.Fatal(err)
		}
		null.Close()
		a, fds, err := receive(engine)
		if err != nil || a.Kind != kindOpened || len(fds) != 0 || !strings.Contains(a.Error, "the keeper opens no") {
			t.Errorf("%+v: answered with %+v, %d descriptors, %v", m, a, len(fds), err)
		}
	}
	for _, kind := range []string{kindPacket, kindReserve} { // what it may ask for, but there is none
		if err := send(engine, message{Kind: kind}); err != nil {
			t.Fatal(err)
		}
		if a, fds, err := receive(engine); err != nil || a.Error == "" || len(fds) != 0 || strings.Contains(a.Error, "opens no") {
			t.Errorf("%s: %+v, %d descriptors, %v", kind, a, len(fds), err)
		}
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	engine.Close()
	over(t, ended)
}

// What is no message ends the keeper, and with it all three.
func TestKeeperEndsAtRubbish(t *testing.T) {
	for _, b := range [][]byte{[]byte("{"), []byte("[]"), []byte(`{"interface":1.5}`), []byte(`{"kind":7}`), make([]byte, maxMessage+1), {0}} {
		engine, ended := start(t)
		if _, err := engine.Write(b); err != nil {
			t.Fatal(err)
		}
		over(t, ended)
	}
}

// descriptors counts the open files of this process.
func descriptors(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
