//go:build linux

package link

import (
	"fmt"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"bootstorm/engine/batch"
	"bootstorm/tools/lab"
)

// refusal is a system call that an older or restricted kernel refuses.
type refusal struct {
	call   uint32
	second uint32 // only with this second argument; 0 for any
	third  uint32 // only with this third argument; 0 for any
	errno  unix.Errno
}

// withRefusals runs f on a host with a kernel that refuses system calls, by a
// seccomp(2) filter on a thread that ends with f.
func withRefusals(h *lab.Host, refusals []refusal, f func() error) error {
	return h.Do(func() error { // Do's thread is locked and thrown away
		raw, err := bpf.Assemble(refusalProgram(refusals))
		if err != nil {
			return err
		}
		var filter []unix.SockFilter
		for _, i := range raw {
			filter = append(filter, unix.SockFilter{Code: i.Op, Jt: i.Jt, Jf: i.Jf, K: i.K})
		}
		program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
		if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0); err != nil {
			return fmt.Errorf("seccomp: %w", err)
		}
		runtime.KeepAlive(filter)
		return f()
	})
}

// refusalProgram looks at struct seccomp_data: the call's number at 0, its
// arguments, 8 bytes each, from 16 on (seccomp(2); little endian machines).
func refusalProgram(refusals []refusal) []bpf.Instruction {
	const argument = 16
	var p []bpf.Instruction
	for _, f := range refusals {
		unless := func(offset, value uint32) []bpf.Instruction {
			return []bpf.Instruction{bpf.LoadAbsolute{Off: offset, Size: 4}, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: value}}
		}
		one := unless(0, f.call)
		if f.second != 0 {
			one = append(one, unless(argument+8, f.second)...)
		}
		if f.third != 0 {
			one = append(one, unless(argument+16, f.third)...)
		}
		one = append(one, bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(f.errno)})
		for i := 1; i < len(one); i += 2 { // each test that fails goes to the next refusal
			jump := one[i].(bpf.JumpIf)
			jump.SkipTrue = uint8(len(one) - 1 - i)
			one[i] = jump
		}
		p = append(p, one...)
	}
	return append(p, bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW})
}

var (
	// The probe for segmentation is the only write(2) of that length.
	noSegmentation = refusal{call: unix.SYS_WRITE, third: vnetLen + headLen + 16, errno: unix.EINVAL}
	noVnet         = refusal{call: unix.SYS_SETSOCKOPT, second: unix.SOL_PACKET, third: unix.PACKET_VNET_HDR, errno: unix.ENOPROTOOPT}
	noBatchSend    = refusal{call: unix.SYS_SENDMMSG, errno: unix.ENOSYS}
	noBatchReceive = refusal{call: unix.SYS_RECVMMSG, errno: unix.ENOSYS}
	noForce        = refusal{call: unix.SYS_SETSOCKOPT, second: unix.SOL_SOCKET, third: unix.SO_RCVBUFFORCE, errno: unix.EPERM}
)

// TestLadder opens and uses a Set on kernels that lack something.
func TestLadder(t *testing.T) {
	cases := []struct {
		name       string
		refusals   []refusal
		open, then Rung // before and after the first sends
		rx         ReceiveRung
	}{
		{"all there", nil, SendSegmented, SendSegmented, ReceiveBatch},
		{"before Linux 6.2", []refusal{noSegmentation}, SendOffloaded, SendOffloaded, ReceiveBatch},
		{"no vnet header", []refusal{noVnet}, SendBatch, SendBatch, ReceiveBatch},
		{"no sendmmsg either", []refusal{noVnet, noBatchSend}, SendBatch, SendSingle, ReceiveBatch},
		{"segmentation but no sendmmsg", []refusal{noBatchSend}, SendSegmented, SendSingle, ReceiveBatch},
		{"no recvmmsg", []refusal{noBatchReceive}, SendSegmented, SendSegmented, ReceiveSingle},
		{"no right to large buffers", []refusal{noForce}, SendSegmented, SendSegmented, ReceiveBatch},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.onWire()
			w := r.tap(r.client, "eth0")
			tx := batch.NewTx()
			addRun(tx, 0, 3001, 8, 1468, file(8*1468))
			addFrame(tx, 0, 3001, "single")
			want := framesOf(tx, 0)
			request := toServer(69, "rrq")
			r.must(withRefusals(r.server, c.refusals, func() error {
				s, err := Open([]string{"eth1"}, Options{})
				if err != nil {
					return err
				}
				defer s.Close()
				if got := s.links[0].rung; got != c.open {
					t.Errorf("opened with %s, want %s", got, c.open)
				}
				if err := s.Send(tx); err != nil || tx.N != 0 {
					return fmt.Errorf("send: %w, %d left", err, tx.N)
				}
				w.write(request)
				if got := len(r.receive(s, 1)); got != 1 {
					t.Errorf("%d frames received, want 1", got)
				}
				if s.links[0].rung != c.then || s.rx.rung != c.rx {
					t.Errorf("then %s and %s, want %s and %s", s.links[0].rung, s.rx.rung, c.then, c.rx)
				}
				return nil
			}))
			w.expect(want)
		})
	}
}

// TestForcedRung: a rung that is asked for by name and not possible is an error.
func TestForcedRung(t *testing.T) {
	cases := []struct {
		name, tx, rx string
		refusals     []refusal
		want         string // in the error; "" for none
	}{
		{"gso before Linux 6.2", "gso", "", []refusal{noSegmentation}, "send rung gso is not possible on eth1: UDP segmentation"},
		{"csum without vnet header", "csum", "", []refusal{noVnet}, "send rung csum is not possible on eth1: PACKET_VNET_HDR"},
		{"mmsg needs nothing", "mmsg", "mmsg", []refusal{noVnet, noSegmentation}, ""},
		{"unknown send rung", "fast", "", nil, `unknown way of sending "fast": gso, csum, mmsg, single`},
		{"unknown receive rung", "", "ring", nil, `unknown way of receiving "ring": mmsg, single`},
	}
	r := newRig(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := withRefusals(r.server, c.refusals, func() error {
				s, err := Open([]string{"eth1"}, Options{TX: c.tx, RX: c.rx})
				if err == nil {
					s.Close()
				}
				return err
			})
			checkError(t, err, c.want)
		})
	}
}
