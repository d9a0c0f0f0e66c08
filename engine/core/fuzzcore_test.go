package core

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/config"
	"bootstorm/engine/image"
	"bootstorm/engine/plan"
	"bootstorm/engine/plan/compile"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
	"bootstorm/proto/tftp"
	"bootstorm/tools/allocs"
)

// The whole core against anything: a configuration of a few real shapes, frames
// of all kinds, sound, damaged or raw, and time. Six bytes of the input are one
// step:
//
//	0  what is sent, or done          3  a value to put there
//	1  by whom                        4  how the frame is damaged: a place
//	2  about which address            5  how much time passes before
//
// What holds after each step is in judge.

const fuzzStep = 6

// fuzzPlans compiles the configurations: the ones of these tests and the sound
// ones of package config.
func fuzzPlans(t testing.TB) (plans []*plan.Plan) {
	t.Helper()
	for _, text := range []string{plain, guide, strings.Replace(busy, "10.1.31.255", "10.1.0.63", 1), guide + "known-clients-first off; dhcp-rate-limit 0; tftp-rate-limit 0;",
		plain + "ignore-client-uids off; authoritative; permitted-servers 192.168.1.9; one-lease-per-client on; deny duplicates;"} {
		plans = append(plans, buildPlan(t, text))
	}
	names, err := filepath.Glob("../config/testdata/good/*.conf")
	if err != nil || len(names) == 0 {
		t.Fatal("no configurations", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tree := config.ParseText(name, text, config.Options{Resolve: func(string) ([]proto.Addr, error) { return nil, os.ErrNotExist },
			ReadFile: func(string) ([]byte, error) { return nil, os.ErrNotExist }})
		if p, _ := compile.Compile(tree); p != nil {
			plans = append(plans, p)
		}
	}
	return plans
}

// fuzzFiles are boot files of a few lengths.
func fuzzFiles() *image.Set {
	return image.Build(1, "/srv/tftp", []image.File{{Name: "ipxe.efi", Data: bytes.Repeat([]byte("\rx\n"), 30_000)}, {Name: "f", Data: nil},
		{Name: "g", Data: make([]byte, 512)}})
}

// fuzzInput is one step as it is carried out.
type fuzzInput struct {
	kind  byte
	frame []byte
	wait  int64
}

// readSteps makes frames of the input before anything runs, so that what runs can
// be held to allocate nothing.
func readSteps(in []byte) (steps []fuzzInput) {
	const most = 200
	for ; len(in) >= fuzzStep && len(steps) < most; in = in[fuzzStep:] {
		s := fuzzInput{kind: in[0] % 32, wait: fuzzWait(in[5])}
		s.frame = fuzzMessage(s.kind, in[1], in[2], in[3], in[fuzzStep:])
		if at := int(in[4]); at != 0 && len(s.frame) > 0 {
			s.frame[at*at%len(s.frame)] ^= in[3] | 1
			if at%2 == 0 && len(s.frame) >= proto.HeadersLen && s.frame[12] == 8 && s.frame[13] == 0 { // sound again below
				head := (*[proto.HeadersLen]byte)(s.frame)
				proto.SetPayloadLen(head, len(s.frame)-proto.HeadersLen)
				proto.FinishUDP(head, s.frame[proto.HeadersLen:], nil)
			}
		}
		steps = append(steps, s)
	}
	return steps
}

// fuzzWait is from nothing to some hours, in ns.
func fuzzWait(b byte) int64 {
	if b < 64 {
		return int64(b) * batch.Microsecond
	}
	return batch.Microsecond << (b % 36)
}

// fuzzMessage makes the frame of a step.
func fuzzMessage(kind, who, about, val byte, rest []byte) []byte {
	m, a := machine(who%16), host(about%24)
	tftpOf := func(payload []byte) []byte {
		t := m
		t.src, t.dst, t.sport, t.dport, t.raw = a, serverAddr, 2000+uint16(who%4), proto.PortTFTP, payload
		return t.frame()
	}
	switch kind {
	case 16:
		return tftpOf([]byte("\x00\x01ipxe.efi\x00octet\x00blksize\x001468\x00windowsize\x004\x00"))
	case 17:
		return tftpOf([]byte("\x00\x01ipxe.efi\x00netascii\x00windowsize\x0064\x00"))
	case 18:
		return tftpOf([]byte("\x00\x01g\x00octet\x00"))
	case 19, 20:
		return tftpOf([]byte{0, tftp.OpAck, 0, val})
	case 21:
		return tftpOf([]byte{0, tftp.OpError, 0, val % 10})
	case 22:
		return tftpOf(append([]byte{0, val % 8}, rest[:min(len(rest), 60)]...))
	case 23:
		r := rogue(who)
		r.kind, r.giaddr = dhcp.Type(val%9), proto.Addr(about)
		return r.frame()
	case 24:
		return icmpFrame(a)
	case 25:
		return madeUp(int(val)<<8 | int(about)).frame()
	case 26:
		return arpFrame(a, madeUp(int(val)).mac)
	case 27:
		return arpFrame(serverAddr, mac(val))
	}
	var pad [4]byte
	frame, _ := fuzzFrame(append([]byte{kind % 16, who, 0, val}, append(append([]byte(nil), rest[:min(len(rest), 80)]...), pad[:]...)...))
	return frame
}

// run carries the steps out and calls judge after each, if it is there.
func (w *world) run(steps []fuzzInput, judge func(*fuzzInput)) {
	for i := range steps {
		s := &steps[i]
		w.now.Mono += s.wait
		w.now.Wall += s.wait / batch.Second
		w.quiet()
		w.rx.Now, w.rx.N = w.now, 1
		w.rx.Frames[0].Data, w.rx.Frames[0].Checksum, w.rx.Frames[0].Link = s.frame, s.kind != 31, 0
		if next := w.core.Step(w.rx, 0, w.tx); next != 1 {
			w.t.Fatal("a frame was not taken though there is room")
		}
		if judge != nil {
			judge(s)
		}
		w.quiet()
	}
}

// quiet lets everything happen that is due, and throws it away.
func (w *world) quiet() {
	w.tx.Sent(w.tx.N)
	for n := 0; n < 500; n++ {
		w.core.Tick(w.now, w.tx)
		w.core.Durable(w.core.seq, w.tx)
		w.core.Leases().N = 0
		w.core.Events().Reset()
		sent := w.tx.N
		w.tx.Sent(sent)
		if sent == 0 && w.core.Deadline() > w.now.Mono {
			return
		}
	}
	w.t.Fatal("the core does not come to rest at a moment")
}

// judge checks what one frame caused: at most one reply of each kind, no larger
// than the request entitles to, addressed to who asked; no data but for an
// acknowledgement or request, and then a window; and a sound lease table.
func (w *world) judge(s *fuzzInput) {
	t, n := w.t, w.tx.N
	var asked proto.Packet
	sound := proto.ParseFrame(&asked, s.frame, s.kind != 31) == proto.OK
	if n > frameRoom {
		t.Fatalf("%d messages for one frame", n)
	}
	w.core.Durable(w.core.seq, w.tx)
	w.core.Tick(w.now, w.tx)
	replies, data, others := 0, 0, 0
	for _, m := range w.tx.Messages[:w.tx.N] {
		for i := range m.Frames() {
			f := m.AppendFrame(nil, i)
			if len(f) > 1514 {
				t.Fatalf("a frame of %d bytes", len(f))
			}
			var p proto.Packet
			switch d := proto.ParseFrame(&p, f, true); {
			case d != proto.OK && !isAdvert(f):
				t.Fatalf("a frame of ours is not sound: %v", d)
			case isAdvert(f), p.Kind == proto.KindARP:
				continue
			case p.SrcPort == proto.PortTFTP && len(p.Payload) > 2 && p.Payload[1] == tftp.OpData:
				data++
			case p.SrcPort == proto.PortTFTP:
				others++
			default:
				replies++
				if limit := entitled(&asked); len(p.Payload) > limit {
					t.Fatalf("a reply of %d bytes, %d are due", len(p.Payload), limit)
				}
				continue
			}
			if sound && asked.Kind == proto.KindUDP && (p.Dst != asked.Src || p.DstPort != asked.SrcPort) {
				t.Fatalf("%v port %d asked, %v port %d was answered", asked.Src, asked.SrcPort, p.Dst, p.DstPort)
			}
		}
	}
	isAck := sound && len(asked.Payload) >= 4 && asked.Payload[1] == tftp.OpAck && asked.DstPort == proto.PortTFTP
	switch {
	case replies > 1, replies+others > 0 && !sound, others > 1, data > 0 && replies+others > 0:
		t.Fatalf("%d replies, %d of TFTP and %d blocks for one frame, sound: %v", replies, others, data, sound)
	case data > batch.MaxSegments, data > 1 && !isAck:
		t.Fatalf("%d blocks for one frame", data)
	}
	if small := int32(300); w.core.table.Len() <= small { // else once, at the end
		if wrong := w.core.table.Check(); wrong != "" {
			t.Fatal(wrong)
		}
	}
	if e := w.core.Events(); e.Lost != 0 || e.N > 16 {
		t.Fatalf("%d events for one frame", e.N)
	}
}

// entitled is how long a reply to a message may be, bytes of UDP payload.
func entitled(p *proto.Packet) int {
	var o dhcp.Options
	size := 576
	if p.Kind == proto.KindUDP && o.Parse(p.Payload) {
		if v, ok := o.Uint16(dhcp.OptMaxMessageSize); ok {
			size = max(size, int(v))
		}
		if v, ok := o.Get(dhcp.OptRelayAgent); ok { // the relay takes it out again
			size += len(v) + 2*(len(v)/255+1)
		}
	}
	return min(size, 1500) - proto.IPv4Len - proto.UDPLen
}

func fuzzSeeds() (seeds [][]byte) {
	every := []byte{}
	for kind := range byte(32) {
		every = append(every, kind, kind, kind, 1, 0, 1)
	}
	boot := []byte{1, 1, 0, 0, 0, 1, 4, 1, 0, 0, 0, 1, 16, 1, 2, 0, 0, 1, 19, 1, 2, 0, 0, 1, 19, 1, 2, 4, 0, 1, 19, 1, 2, 8, 0, 1}
	flood := []byte{}
	for i := range byte(60) {
		flood = append(flood, 25, i, i, i, 0, 60, 26, i, i, i, 0, 60, 18, i, i, i, 0, 200)
	}
	for c := range byte(11) {
		seeds = append(seeds, append([]byte{c}, every...), append([]byte{c}, boot...), append([]byte{c}, flood...))
	}
	damaged := []byte{1}
	for i := range byte(120) {
		damaged = append(damaged, i%28, i, i, i*7+1, i+1, i*3)
	}
	return append(seeds, damaged)
}

// FuzzCore searches for anything that breaks what judge holds.
func FuzzCore(f *testing.F) {
	plans, files := fuzzPlans(f), fuzzFiles()
	for _, s := range fuzzSeeds() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) == 0 {
			return
		}
		c := smallConfig(plans[int(in[0])%len(plans)])
		c.Files, c.Seed = files, uint64(len(in))
		w := worldOf(t, c)
		steps := readSteps(in[1:])
		w.run(steps, w.judge)
		if wrong := w.core.table.Check(); wrong != "" {
			t.Fatal(wrong)
		}
		// A restart and a reload of what is left.
		fresh := New(c)
		w.core.Replace(w.now, fresh)
		w.core = fresh
		if wrong := fresh.table.Check(); wrong != "" {
			t.Fatal("after a reload: " + wrong)
		}
		w.run(steps[:min(len(steps), 20)], w.judge)
	})
}

// TestFuzzSeedsAllocateNothing: the same steps, and nothing is allocated by any
// of them.
func TestFuzzSeedsAllocateNothing(t *testing.T) {
	plans, files := fuzzPlans(t), fuzzFiles()
	for i, in := range fuzzSeeds() {
		c := smallConfig(plans[int(in[0])%len(plans)])
		c.Files = files
		w := worldOf(t, c)
		steps := readSteps(in[1:])
		if n := allocs.Of(func() { w.run(steps, nil) }); n != 0 {
			t.Errorf("seed %d: %v allocations", i, n)
		}
	}
}
