package transfer

import (
	"fmt"
	"strings"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/image"
	"bootstorm/proto"
	"bootstorm/proto/tftp"
)

// rig drives a table by hand: one datagram in, the answers out, as short texts
// such as "DATA 1:512", "OACK tsize=5" and "ERROR 1".
type rig struct {
	t     testing.TB
	table *Table
	tx    *batch.Tx
	ev    batch.Events
	now   int64
	src   proto.Packet // the client
	who   Standing     // its standing
}

func newRig(t testing.TB, c Config, files ...image.File) *rig {
	return &rig{t: t, table: newTable(t, c, files...), tx: batch.NewTx(), now: 500 * s1, src: proto.Packet{
		Kind: proto.KindUDP, SrcMAC: proto.MAC{0x52, 0x54, 0, 1, 2, 3}, DstMAC: serverMAC,
		Src: proto.AddrOf(192, 168, 2, 9), Dst: serverAddr, SrcPort: 2048, DstPort: 69}}
}

// recv hands a datagram over and returns what is sent at once.
func (r *rig) recv(payload []byte) string {
	p := r.src
	p.Payload = payload
	r.table.Receive(r.now, &p, 0, r.who, r.tx, &r.ev)
	return r.out()
}

func (r *rig) ack(block int64) string { return r.recv(ack(block)) }

// after lets time pass, running every timer at its time, and returns what is
// sent meanwhile.
func (r *rig) after(d int64) string {
	var all []string
	for end := r.now + d; ; {
		at := r.table.Deadline()
		if at > end {
			r.now = end
			return strings.Join(all, ", ")
		}
		r.now = max(r.now, at)
		if s := r.out(); s != "" {
			all = append(all, s)
		}
	}
}

// out runs Fill and empties tx, until nothing is ready.
func (r *rig) out() string {
	var all []string
	r.table.Fill(r.now, r.tx, &r.ev)
	if r.tx.N == 0 {
		return ""
	}
	for _, m := range r.tx.Messages[:r.tx.N] {
		for i := range m.Frames() {
			var p proto.Packet
			if d := proto.ParseFrame(&p, m.AppendFrame(nil, i), true); d != proto.OK {
				r.t.Fatalf("we sent a frame that is dropped: %v", d)
			}
			if p.Dst != r.src.Src || p.DstPort != r.src.SrcPort || p.Src != serverAddr || p.SrcPort != 69 ||
				p.DstMAC != r.src.SrcMAC || p.SrcMAC != serverMAC {
				r.t.Fatalf("wrong addresses: %+v", p)
			}
			all = append(all, describe(p.Payload))
		}
	}
	r.tx.Sent(r.tx.N)
	if r.table.Ready() { // as the driver does: more than one batch
		all = append(all, r.out())
	}
	return strings.Join(all, ", ")
}

func describe(b []byte) string {
	op, field, _ := tftp.Opcode(b)
	switch op {
	case tftp.OpData:
		return fmt.Sprintf("DATA %d:%d", field, len(b)-4)
	case tftp.OpError:
		return fmt.Sprintf("ERROR %d", field)
	case tftp.OpOack:
		parts := strings.Split(strings.TrimSuffix(string(b[2:]), "\x00"), "\x00")
		for i := 0; i+1 < len(parts); i += 2 {
			parts[i] += "=" + parts[i+1]
			parts[i+1] = ""
		}
		return "OACK " + strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
	}
	return fmt.Sprintf("opcode %d", op)
}

// want fails unless got is what is expected.
func (r *rig) want(what, got, expected string) {
	r.t.Helper()
	if got != expected {
		r.t.Errorf("%s: sent %q, want %q", what, got, expected)
	}
}

// last is the newest event.
func (r *rig) last() batch.Event {
	if r.ev.N == 0 {
		return batch.Event{}
	}
	return r.ev.List[r.ev.N-1]
}

// rrq is a read request; options as "name=value".
func rrq(name, mode string, options ...string) []byte {
	b := tftp.AppendRequest(nil, tftp.OpRRQ, name, mode)
	for _, o := range options {
		k, v, _ := strings.Cut(o, "=")
		b = append(append(append(append(b, k...), 0), v...), 0)
	}
	return b
}

func errorPacket(code uint16) []byte { return tftp.AppendError(nil, code, "from the client") }
