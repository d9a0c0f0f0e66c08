//go:build linux

package segment_test

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"bootstorm/bench"
	"bootstorm/bench/segment"
	"bootstorm/engine/batch"
	"bootstorm/engine/config"
	"bootstorm/engine/core"
	"bootstorm/engine/image"
	"bootstorm/engine/plan"
	"bootstorm/engine/plan/compile"
	"bootstorm/proto"
)

const runConf = `
subnet 192.168.1.0 netmask 255.255.255.0 {
    range 192.168.1.100 192.168.1.199;
    next-server 192.168.1.1;
    if exists user-class and option user-class = "iPXE" { filename "script"; } else { filename "loader"; }
}
`

// server is the core on the other end of the cable, with nothing around it: its
// journal is on disk at once, and it answers ARP itself.
type server struct {
	core *core.Core
	conn *segment.Conn
	rx   *batch.Rx
	tx   *batch.Tx
}

func newServer(t *testing.T, conn *segment.Conn, files []*bench.File) *server {
	t.Helper()
	p, findings := compile.Compile(config.ParseText("dhcpd.conf", []byte(runConf), config.Options{}))
	if p == nil {
		t.Fatal(findings)
	}
	var served []image.File
	for _, f := range files {
		served = append(served, image.File{Name: f.Name, Data: f.Data})
	}
	link := plan.Link{Name: "va", MAC: macA, MTU: 1500, Addrs: []plan.LinkAddr{{Addr: proto.AddrOf(192, 168, 1, 1), Mask: 0xffffff00}}}
	return &server{conn: conn, rx: new(batch.Rx), tx: batch.NewTx(),
		core: core.New(core.Config{Plan: p, Files: image.Build(1, "/", served), Links: []plan.Link{link}})}
}

// serve runs until stop is set.
func (s *server) serve(stop *atomic.Bool) error {
	start := time.Now()
	for !stop.Load() {
		if err := s.conn.Wait(int64(time.Millisecond)); err != nil {
			return err
		}
		s.rx.N, s.rx.Now = 0, batch.Time{Mono: int64(time.Since(start)) + batch.Second, Wall: time.Now().Unix()}
		if _, err := s.conn.Receive(func(frame []byte, checksum bool) {
			s.rx.Frames[s.rx.N] = batch.Frame{Data: bytes.Clone(frame), Checksum: checksum}
			s.rx.N++
			s.arp(frame)
		}); err != nil {
			return err
		}
		for next := 0; next < s.rx.N || s.core.Deadline() <= s.rx.Now.Mono; {
			next = s.core.Step(s.rx, next, s.tx)
			s.core.Tick(s.rx.Now, s.tx)
			s.finish()
		}
		if err := s.conn.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) arp(frame []byte) {
	var p proto.Packet
	if proto.ParseFrame(&p, frame, false) == proto.OK && p.Kind == proto.KindARP && p.ARP.TargetAddr == proto.AddrOf(192, 168, 1, 1) {
		var b [proto.EthernetLen + proto.ARPLen]byte
		proto.PutARP(&b, macA, p.SrcMAC, &proto.ARP{Op: proto.ARPReply, SenderMAC: macA, SenderAddr: p.ARP.TargetAddr,
			TargetMAC: p.SrcMAC, TargetAddr: p.ARP.SenderAddr})
		s.conn.Queue(b[:])
	}
}

// finish writes the journal, so to speak, and sends.
func (s *server) finish() {
	if l := s.core.Leases(); l.N > 0 {
		last := l.List[l.N-1].Seq
		l.N = 0
		for s.core.Durable(last, s.tx) {
			s.send()
		}
	}
	s.core.Events().Reset()
	s.send()
}

func (s *server) send() {
	var b []byte
	for _, m := range s.tx.Messages[:s.tx.N] {
		for i := range m.Frames() {
			for b = m.AppendFrame(b[:0], i); !s.conn.Queue(b); {
				if s.conn.Flush() != nil {
					return
				}
			}
		}
	}
	s.tx.Sent(s.tx.N)
}

func runFiles() []*bench.File {
	return []*bench.File{{Name: "loader", Data: bytes.Repeat([]byte("loader!"), 9000)},
		{Name: "script", Data: []byte("#!ipxe\nimgfetch tftp://${next-server}/kernel\n")},
		{Name: "kernel", Data: bytes.Repeat([]byte("kernel"), 12000)}}
}

// A storm over real frames comes to the end that it comes to in virtual time,
// with impairments and without.
func TestRun(t *testing.T) {
	for name, c := range map[string]bench.Config{
		"clean":    {Nodes: 50, Boots: 2},
		"impaired": {Nodes: 20, Link: bench.Impairment{Loss: 0.01, Duplicate: 0.02, Delay: batch.Millisecond}},
		"renewal":  {Nodes: 20, Sequence: bench.Full, Renew: 100 * batch.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := cable(t)
			files := runFiles()
			var stop atomic.Bool
			ended := make(chan error, 1)
			s := newServer(t, open(t, a, "va"), files)
			go func() { ended <- s.serve(&stop) }()
			storm, err := bench.NewStorm(c, bench.NewContents(files...))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			shown := 0
			r, err := bench.Run(ctx, storm, open(t, b, "vb"), 10*time.Millisecond, func(bench.Progress) { shown++ })
			if err != nil {
				t.Fatal(err)
			}
			if !r.OK() || r.KernelDrops != 0 || r.Addresses != c.Nodes || shown == 0 {
				t.Errorf("%d done, %+v, %d dropped, %d addresses, shown %d times", r.Done, r.Failures, r.KernelDrops, r.Addresses, shown)
			}
			stop.Store(true)
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// A storm that is interrupted says how far it came.
func TestRunInterrupted(t *testing.T) {
	_, b := cable(t)
	storm, err := bench.NewStorm(bench.Config{Nodes: 3}, bench.NewContents(runFiles()...))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond)
	defer cancel()
	r, err := bench.Run(ctx, storm, open(t, b, "vb"), time.Second, nil)
	if !errors.Is(err, context.DeadlineExceeded) || r == nil || r.Boots != 3 || r.Done != 0 || r.OK() {
		t.Errorf("%v, %+v", err, r)
	}
}
