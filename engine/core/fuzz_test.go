package core

import (
	"encoding/binary"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// FuzzStep feeds sequences of frames: each step of the input picks a sound
// message of one of a few machines and then damages it, or takes raw bytes. A
// frame gets at most one reply, never a panic; what is malformed gets none.
func FuzzStep(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0, 4, 1, 0, 0, 4, 2, 0, 0})
	f.Add([]byte{0, 1, 0, 0, 3, 1, 0, 0, 9, 1, 0, 0, 8, 1, 0, 0})
	f.Add([]byte{200, 3, 1, 2, 0, 1, 0, 0, 0, 9, 0, 0, 7, 0, 0, 200})
	f.Add([]byte{11, 2, 80, 5, 12, 2, 90, 255, 10, 3, 42, 9, 13, 2, 50, 1})
	f.Add([]byte{15, 1, 0, 0, 2, 1, 0, 0, 15, 1, 0, 0, 1, 1, 0, 0, 15, 1, 0, 0}) // hints and advertisements, early and late
	p := buildPlan(f, busy)
	f.Add([]byte("900000x00")) // an answer that was held leaves with a frame that gets none
	bootFiles := bootFiles()
	f.Fuzz(func(t *testing.T, in []byte) {
		c := smallConfig(p)
		c.Files = bootFiles
		w := worldOf(t, c)
		for len(in) >= 4 {
			var frame []byte
			frame, in = fuzzFrame(in)
			w.now.Mono += int64(in4(in)) * batch.Millisecond
			w.tick()
			bad, held := dropped(w.core), w.core.Held()
			w.slow = len(in)%5 == 0
			answers := w.frame(frame)
			if dropped(w.core) != bad && len(answers) > held {
				t.Fatal("a malformed frame was answered")
			}
			if replies := len(answers); w.slow && replies > 1 {
				t.Fatalf("%d replies to one frame", replies)
			}
		}
	})
}

// fuzzFrame makes a frame of the first bytes of in and returns the rest.
func fuzzFrame(in []byte) (frame, rest []byte) {
	kind, who, at, val := in[0], in[1], in[2], in[3]
	in = in[4:]
	m := machine(who % 8)
	a := host(who % 16)
	switch kind % 16 {
	case 1:
		m = m.firmware()
	case 2:
		m = m.ipxe().selecting(a)
	case 3:
		m = m.rebooting(a)
	case 4:
		m = m.selecting(host(2 + who%4))
	case 5:
		m = m.renewing(a)
	case 6:
		m = leaving(m, who%16)
	case 7:
		m = m.of(dhcp.Decline).asking(a)
	case 8:
		m = m.of(dhcp.Inform)
		m.ciaddr = a
	case 9:
		m = m.of(dhcp.BOOTP).relayed(proto.AddrOf(10, 0, 0, 1))
	case 10:
		m = m.with(dhcp.OptRelayAgent, in[:min(len(in), int(val))]...).relayed(proto.AddrOf(10, 0, 0, 1))
	case 11:
		m = m.firmware().of(dhcp.Request)
		m.ciaddr, m.dport = a, proto.PortPXE
	case 12:
		m = m.with(val, in[:min(len(in), 40)]...)
	case 13:
		return arpFrame(a, mac(val%8)), in
	case 15:
		return solicitFrame(mac(who % 8)), in
	case 14:
		k := min(len(in), int(val)*4)
		return in[:k], in[k:]
	}
	frame = m.frame()
	if at != 0 { // damage one byte, and make the checksum right again
		frame[(int(at)*int(at))%len(frame)] ^= val
		head := (*[proto.HeadersLen]byte)(frame)
		proto.SetPayloadLen(head, len(frame)-proto.HeadersLen)
		proto.FinishUDP(head, frame[proto.HeadersLen:], nil)
	}
	return frame, in
}

func in4(b []byte) uint32 {
	if len(b) < 4 {
		return 0
	}
	return binary.LittleEndian.Uint32(b) >> uint(b[0]%32)
}

// dropped counts the frames that were refused as malformed.
func dropped(c *Core) (n uint64) {
	for _, v := range c.count.Bad {
		n += v
	}
	return n + c.count.Short + c.count.NotBoot + c.count.Hardware + c.count.Options + c.count.Type + c.count.Other
}
