package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	seen "go.uber.org/zap/zaptest/observer"

	"bootstorm/engine/batch"
	"bootstorm/engine/image/load"
	"bootstorm/engine/link"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// network is the world of a test: interfaces that are changed by hand, and
// sockets that keep what is sent.
type network struct {
	mu      sync.Mutex
	links   map[string]plan.Link
	up      map[string]bool
	socket  *fakeSocket
	others  []socket // of further workers
	opened  int
	openErr error
	taken   error // what reserve says
	stale   []string
	change  func() // the watcher's callback
}

// fakeSocket is a wire in memory.
type fakeSocket struct {
	net  *network
	mu   sync.Mutex
	in   [][]byte
	out  [][]byte
	wake chan struct{}
	full bool // the queue takes nothing
	fail error
	stat link.Stats
}

// noPorts reserves nothing.
type noPorts struct{}

func (noPorts) Close() error { return nil }
func (noPorts) Stale() bool  { return false }

func newNetwork() *network {
	n := &network{links: map[string]plan.Link{}, up: map[string]bool{}}
	n.set("eth1", true, "192.168.1.1")
	return n
}

// set gives an interface a state and addresses, all with a /28.
func (n *network) set(name string, up bool, addrs ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := plan.Link{Name: name, MAC: proto.MAC{2, 0, 0, 0, 0, 1}, MTU: 1500}
	for _, a := range addrs {
		l.Addrs = append(l.Addrs, plan.LinkAddr{Addr: addr(a), Mask: addr("255.255.255.240")})
	}
	n.links[name], n.up[name] = l, up
}

func (n *network) remove(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.links, name)
}

func (n *network) world() world {
	return world{
		inspect: func(name string) (plan.Link, bool, error) {
			n.mu.Lock()
			defer n.mu.Unlock()
			if name == "lo" {
				return plan.Link{}, true, errors.New("interface lo has no Ethernet address")
			}
			l, ok := n.links[name]
			if !ok {
				return l, false, &link.DownError{Name: name, Gone: true, Err: os.ErrNotExist}
			}
			return l, n.up[name], nil
		},
		open: func(names []string, workers int, _ link.Options) (all []socket, err error) {
			n.mu.Lock()
			defer n.mu.Unlock()
			if n.openErr != nil {
				return nil, n.openErr
			}
			n.opened++
			n.stale = nil
			for range workers {
				all = append(all, &fakeSocket{net: n, wake: make(chan struct{}, 1)})
			}
			n.socket, n.others = all[0].(*fakeSocket), all[1:]
			return all, nil
		},
		reserve: func(string) (ports, error) { return noPorts{}, n.taken },
		changes: func(_ func(), stop <-chan struct{}) error { <-stop; return nil },
		watch: func(_ string, onChange func(), stop <-chan struct{}) error {
			n.mu.Lock()
			n.change = onChange
			n.mu.Unlock()
			<-stop
			return nil
		},
		exists:   func(string) bool { return false },
		fallback: func() []load.File { return nil },
		poll:     2 * time.Millisecond,
	}
}

func (s *fakeSocket) Recv(rx *batch.Rx) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for rx.N = 0; rx.N < min(len(s.in), batch.RxCap); rx.N++ {
		rx.Frames[rx.N] = batch.Frame{Data: s.in[rx.N], Checksum: true}
	}
	s.in = s.in[rx.N:]
	return s.fail
}

func (s *fakeSocket) Send(tx *batch.Tx) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return s.fail
	}
	for _, m := range tx.Messages[:tx.N] {
		for i := range m.Frames() {
			s.out = append(s.out, m.AppendFrame(nil, i))
		}
	}
	tx.Sent(tx.N)
	return s.fail
}

func (s *fakeSocket) Wait(nanos int64) error {
	select {
	case <-s.wake:
	case <-time.After(time.Duration(nanos)):
	}
	return nil
}

func (s *fakeSocket) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *fakeSocket) Stale() []string {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	return s.net.stale
}
func (s *fakeSocket) Describe() []string { return []string{"eth1: in memory"} }
func (s *fakeSocket) Stats() link.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stat
}
func (s *fakeSocket) Close() error { return nil }

// deliver lets the server receive a frame.
func (s *fakeSocket) deliver(frames ...[]byte) {
	s.mu.Lock()
	s.in = append(s.in, frames...)
	s.mu.Unlock()
	s.Wake()
}

// reply waits for the next DHCP frame that was sent and returns its payload.
func (s *fakeSocket) reply(t *testing.T) []byte {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if b := s.pop(); b != nil {
			return b
		}
	}
	t.Fatal("no reply")
	return nil
}

// pop takes the next DHCP payload that was sent, nil if there is none.
func (s *fakeSocket) pop() []byte { return s.popFrom(proto.PortBOOTPServer) }

// popFrom takes the next payload that was sent from a port, nil if there is none.
func (s *fakeSocket) popFrom(port uint16) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.out) > 0 {
		var p proto.Packet
		drop := proto.ParseFrame(&p, s.out[0], true)
		s.out = s.out[1:]
		if drop == proto.OK && p.Kind == proto.KindUDP && p.SrcPort == port {
			return p.Payload
		}
	}
	return nil
}

func addr(s string) proto.Addr {
	var a proto.Addr
	for part := range strings.SplitSeq(s, ".") {
		n := 0
		for _, c := range part {
			n = 10*n + int(c-'0')
		}
		a = a<<8 | proto.Addr(n)
	}
	return a
}

// nodeMAC is the address of test node n.
func nodeMAC(n byte) proto.MAC { return proto.MAC{0x52, 0x54, 0, 0x12, 0x34, n} }

// dhcpFrame builds a client's message.
func dhcpFrame(mac proto.MAC, kind dhcp.Type, asked proto.Addr, server proto.Addr) []byte {
	var buf [600]byte
	var w dhcp.Writer
	h := w.Reset(buf[:])
	h.SetOp(dhcp.BootRequest)
	h[1], h[2] = 1, 6
	h.SetXID(uint32(mac[5]))
	copy(h.CHAddr()[:], mac[:])
	w.Option(dhcp.OptMessageType, []byte{byte(kind)})
	for code, a := range map[byte]proto.Addr{dhcp.OptRequestedAddr: asked, dhcp.OptServerID: server} {
		if b := a.Bytes(); a != 0 {
			w.Option(code, b[:])
		}
	}
	payload := buf[:w.End()]
	head := [proto.HeadersLen]byte{}
	proto.PutHeaders(&head, mac, proto.Broadcast, 0, proto.Limited, proto.PortBOOTPClient, proto.PortBOOTPServer, 0, len(payload))
	proto.FinishUDP(&head, payload, nil)
	return append(head[:], payload...)
}

// lease leads a node through DISCOVER and REQUEST and returns its address.
func (s *fakeSocket) lease(t *testing.T, mac proto.MAC) proto.Addr {
	t.Helper()
	s.deliver(dhcpFrame(mac, dhcp.Discover, 0, 0))
	offer := dhcp.View(s.reply(t))
	s.deliver(dhcpFrame(mac, dhcp.Request, offer.YIAddr(), addr("192.168.1.1")))
	ack := s.reply(t)
	var o dhcp.Options
	o.Parse(ack)
	if kind, _ := o.MessageType(); kind != dhcp.Ack {
		t.Fatalf("%v instead of an ACK", kind)
	}
	return dhcp.View(ack).YIAddr()
}

// serving is a server under test.
type serving struct {
	t     *testing.T
	net   *network
	logs  *seen.ObservedLogs
	zcore zapcore.Core
	dir   string
	stop  context.CancelFunc
	end   chan error
	seen  int // log entries looked at
}

const guideText = `default-lease-time 7200;
max-lease-time 7200;
option arch code 93 = unsigned integer 16;
subnet 192.168.1.0 netmask 255.255.255.240 {
    range 192.168.1.2 192.168.1.5;
    option routers 192.168.1.1;
    next-server 192.168.1.1;
    if option arch = 00:07 { filename "ipxe.efi"; }
}
host node_1 { hardware ethernet 52:54:00:12:34:01; }
`

// serve starts a server on text ("" for no configuration file).
func serve(t *testing.T, n *network, text string, change ...func(*Config)) *serving {
	t.Helper()
	s := &serving{t: t, net: n, dir: t.TempDir(), end: make(chan error, 1)}
	zcore, logs := seen.New(zap.DebugLevel)
	s.logs, s.zcore = logs, zcore
	c := Config{Interfaces: []string{"eth1"}, Root: filepath.Join(s.dir, "root"), LeaseFile: filepath.Join(s.dir, "dhcpd.leases"),
		Log: zap.New(zcore), Version: "test", world: n.world()}
	if err := os.MkdirAll(c.Root, 0o755); err != nil {
		t.Fatal(err)
	}
	if text != "" {
		c.File = s.write(text)
	}
	for _, f := range change {
		f(&c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	go func() { s.end <- Serve(ctx, c) }()
	t.Cleanup(func() { s.finish() })
	return s
}

// write changes the configuration file.
func (s *serving) write(text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, "dhcpd.conf")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// said waits for a log line, behind those waited for before, and returns it.
func (s *serving) said(text string) string {
	s.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		all := s.logs.All()
		for i := s.seen; i < len(all); i++ {
			if strings.Contains(all[i].Message, text) {
				s.seen = i + 1
				return all[i].Message
			}
		}
		select {
		case err := <-s.end:
			s.end <- err
			s.t.Fatalf("the server ended (%v) without saying %q:\n%s", err, text, s.text())
		default:
		}
	}
	s.t.Fatalf("not said: %q\n%s", text, s.text())
	return ""
}

// text is the whole log.
func (s *serving) text() string {
	var lines []string
	for _, e := range s.logs.All() {
		lines = append(lines, e.Level.String()+" "+e.Message)
	}
	return strings.Join(lines, "\n")
}

// finish ends the server and returns what Serve returned.
func (s *serving) finish() error {
	s.stop()
	select {
	case err := <-s.end:
		s.end <- err
		return err
	case <-time.After(20 * time.Second):
		s.t.Fatal("the server does not end")
		return errors.New("no end")
	}
}

// sock returns the socket of the moment.
func (n *network) sock() *fakeSocket {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.socket
}
