//go:build linux

package ceiling

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"bootstorm/bench/segment"
	"bootstorm/engine/batch"
	"bootstorm/engine/link"
	"bootstorm/tools/lab"
)

// Names and address of the interfaces.
const (
	serverIf   = "eth1"
	peerIf     = "peer"
	serverCIDR = "192.168.1.1/24"
)

// rig is the cable and what holds the server's ports, as in the daemon.
type rig struct {
	lab          *lab.Lab
	server, peer *lab.Host
	ports        io.Closer
	cores        [2]int // of the server and of the peer
	procs        int    // GOMAXPROCS before
}

// ownThreads is how many threads must be able to run Go code: one for each end, which
// waits in the kernel unknown to Go's scheduler (link.Set.Wait), and one for all else.
// A program that was started on one core may run one, and its ends would wait for each
// other: a bare echo then makes 57 turns where it makes 17,000.
const ownThreads = 3

func newRig(serverCore, peerCore int) (r *rig, err error) {
	procs := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(max(procs, ownThreads))
	defer func() {
		if err != nil {
			runtime.GOMAXPROCS(procs)
		}
	}()
	r = &rig{cores: [2]int{serverCore, peerCore}, procs: procs}
	if r.lab, err = lab.New(); err != nil {
		return nil, err
	}
	if r.server, err = r.lab.Host("server"); err == nil {
		r.peer, err = r.lab.Host("peer")
	}
	if err == nil {
		err = errors.Join(r.lab.Join(r.server, serverIf, r.peer, peerIf),
			r.server.IP("link set "+serverIf+" address "+serverMAC.String(), "addr add "+serverCIDR+" dev "+serverIf),
			r.peer.IP("link set "+peerIf+" address "+peerMAC.String()))
	}
	if err == nil {
		err = r.server.Do(func() (err error) {
			r.ports, err = link.Reserve(serverIf)
			return err
		})
	}
	if err != nil {
		r.lab.Close()
		return nil, err
	}
	return r, nil
}

func (r *rig) close() {
	r.ports.Close()
	r.lab.Close()
	runtime.GOMAXPROCS(r.procs)
}

// ends are the sockets of one measurement. They are opened for it alone: every
// further packet socket on an interface costs a copy of each frame.
type ends struct {
	set  *link.Set
	conn *segment.Conn
	stop atomic.Bool // tells the peer's end that the measurement is over
}

func (r *rig) open(o link.Options) (*ends, error) {
	e := new(ends)
	err := errors.Join(
		r.server.Do(func() (err error) { e.set, err = link.Open([]string{serverIf}, o); return err }),
		r.peer.Do(func() (err error) { e.conn, err = segment.Open(peerIf); return err }))
	if err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

func (e *ends) close() {
	if e.set != nil {
		e.set.Close()
	}
	if e.conn != nil {
		e.conn.Close()
	}
}

// both runs the two ends on their cores until both have returned. When the
// server's end has, the peer's is told to stop.
func (r *rig) both(e *ends, server, peer func() error) error {
	result := make(chan error, 1)
	go func() { result <- onCore(r.cores[1], peer) }()
	ended := make(chan error, 1)
	go func() {
		ended <- onCore(r.cores[0], server)
		e.stop.Store(true)
	}()
	return errors.Join(<-ended, <-result)
}

// onCore calls f on a thread that stays on one core and ends with f.
func onCore(core int, f func() error) error {
	runtime.LockOSThread() // never unlocked: the thread is of no use to others
	var set unix.CPUSet
	set.Set(core)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("core %d: %w", core, err)
	}
	return f()
}

// stopwatch measures the thread that it is used on.
type stopwatch struct {
	began time.Time
	cpu   time.Duration
}

func begin() stopwatch { return stopwatch{time.Now(), threadTime()} }

// add puts what has passed since begin into a sample.
func (w *stopwatch) add(s *sample) {
	s.wall += time.Since(w.began)
	s.cpu += threadTime() - w.cpu
}

func threadTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_THREAD, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// drain reads and forgets all that has arrived, once for each call of recv.
func drain(set *link.Set, rx *batch.Rx) (frames int, err error) {
	for {
		if err := set.Recv(rx); err != nil {
			return frames, err
		}
		if rx.N == 0 {
			return frames, nil
		}
		frames += rx.N
	}
}
