package batch

import (
	"bytes"
	"encoding/binary"
	"testing"

	"bootstorm/proto"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// run builds a message of DATA frames as the TFTP machine does.
func run(m *Message, first uint16, data []byte, size, segments int) {
	m.HeadLen = proto.HeadersLen
	m.Size, m.Segments, m.Data = uint16(size), uint16(segments), data
	m.Heads = nil
	for i := range segments {
		m.Heads = append(m.Heads, 0, 3, 0, 0)
		binary.BigEndian.PutUint16(m.Heads[4*i+2:], first+uint16(i))
	}
	proto.PutHeaders((*[proto.HeadersLen]byte)(m.Head[:]), proto.MAC{2, 0, 0, 0, 0, 1}, proto.MAC{2, 0, 0, 0, 0, 2},
		proto.AddrOf(192, 168, 1, 1), proto.AddrOf(192, 168, 1, 2), 69, 2070, 0xfffe, 4+size)
}

func TestAppendFrameOfARunIsWhatASecondDecoderExpects(t *testing.T) {
	cases := []struct {
		name           string
		bytes, size    int
		segments       int
		wantLastLength int
	}{
		{"one full block", 512, 512, 1, 512},
		{"window of four, the last short", 3*1468 + 7, 1468, 4, 7},
		{"the last block empty, as at the end of a file of whole blocks", 2 * 512, 512, 3, 0},
		{"odd block size: checksums over odd lengths", 3 * 9, 9, 3, 9},
		{"empty file", 0, 512, 1, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			data := make([]byte, c.bytes)
			for i := range data {
				data[i] = byte(i*7 + 3)
			}
			var m Message
			run(&m, 65535, data, c.size, c.segments)
			if m.Frames() != c.segments {
				t.Fatalf("Frames() = %d, want %d", m.Frames(), c.segments)
			}
			var got []byte
			for i := range c.segments {
				frame := m.AppendFrame(nil, i)
				payload := decodeChecked(t, frame)
				if want := uint16(65535 + i); binary.BigEndian.Uint16(payload[2:]) != want {
					t.Errorf("frame %d: block %d, want %d", i, binary.BigEndian.Uint16(payload[2:]), want)
				}
				if id := binary.BigEndian.Uint16(frame[18:]); id != uint16(0xfffe+i) {
					t.Errorf("frame %d: IP id %#x", i, id)
				}
				if i == c.segments-1 && len(payload)-4 != c.wantLastLength {
					t.Errorf("last block: %d bytes, want %d", len(payload)-4, c.wantLastLength)
				}
				got = append(got, payload[4:]...)
			}
			if !bytes.Equal(got, data) {
				t.Error("the blocks do not add up to the data")
			}
		})
	}
}

// decodeChecked decodes frame with gopacket, recomputes its checksums there and
// returns the UDP payload.
func decodeChecked(t *testing.T, frame []byte) []byte {
	t.Helper()
	p := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.Default)
	if e := p.ErrorLayer(); e != nil {
		t.Fatalf("gopacket: %v", e.Error())
	}
	ip := p.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
	udp := p.Layer(layers.LayerTypeUDP).(*layers.UDP)
	wantIP, wantUDP := ip.Checksum, udp.Checksum
	if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
		t.Fatal(err)
	}
	buf := gopacket.NewSerializeBuffer()
	opt := gopacket.SerializeOptions{ComputeChecksums: true, FixLengths: true}
	if err := gopacket.SerializeLayers(buf, opt, ip, udp, gopacket.Payload(udp.Payload)); err != nil {
		t.Fatal(err)
	}
	if ip.Checksum != wantIP || udp.Checksum != wantUDP {
		t.Errorf("checksums: IP %#x, gopacket %#x; UDP %#x, gopacket %#x", wantIP, ip.Checksum, wantUDP, udp.Checksum)
	}
	return udp.Payload
}

func TestTxKeepsOrderWhatIsNotSent(t *testing.T) {
	tx := NewTx()
	for i := range TxCap {
		m := tx.Next()
		m.HeadLen = i
		tx.Commit()
	}
	if tx.Next() != nil || tx.Room() != 0 {
		t.Fatal("a full batch offers room")
	}
	tx.Sent(0)
	tx.Sent(10)
	for i := range tx.N {
		if tx.Messages[i].HeadLen != i+10 {
			t.Fatalf("message %d is number %d", i, tx.Messages[i].HeadLen)
		}
	}
	for range 10 {
		if tx.Next() == nil {
			t.Fatal("no room after Sent")
		}
		tx.Commit()
	}
	seen := map[*Message]bool{}
	for _, m := range tx.Messages {
		if seen[m] {
			t.Fatal("one message stands twice in the batch")
		}
		seen[m] = true
	}
}

func TestNextForgetsTheLastRun(t *testing.T) {
	tx := NewTx()
	run(tx.Next(), 1, make([]byte, 10), 512, 1)
	if m := tx.Next(); m.Segments != 0 || m.Data != nil || m.Heads != nil {
		t.Errorf("Next left a run behind: %d segments", m.Segments)
	}
}

func TestEventsCountWhatTheyLose(t *testing.T) {
	var ev Events
	for i := range EventCap + 5 {
		ev.Add(EventAck, int64(i))
	}
	if ev.N != EventCap-1 || ev.Lost != 6 {
		t.Errorf("N = %d, Lost = %d; want %d and 6", ev.N, ev.Lost, EventCap-1)
	}
	ev.Reset()
	if e := ev.Add(EventNak, 1); ev.N != 1 || ev.Lost != 6 || e.Rule != -1 {
		t.Errorf("after Reset: N = %d, Lost = %d, Rule = %d", ev.N, ev.Lost, e.Rule)
	}
}

func TestBatchesAllocateNothing(t *testing.T) {
	tx, ev := NewTx(), new(Events)
	data, buf := make([]byte, 4*512), make([]byte, 0, 2048)
	heads := make([]byte, 16)
	got := testing.AllocsPerRun(1, func() {
		for range 10000 {
			m := tx.Next()
			m.Segments, m.Size, m.Data, m.Heads = 4, 512, data, heads
			tx.Commit()
			buf = m.AppendFrame(buf[:0], 3)
			tx.Sent(1)
			ev.Add(EventAck, 1)
			ev.Reset()
		}
	})
	if got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}
