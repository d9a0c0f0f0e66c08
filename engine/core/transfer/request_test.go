package transfer

import (
	"strings"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/image"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/tftp"
)

func TestFirstReply(t *testing.T) {
	text := []byte("line\nline\r\n") // 11 bytes, 14 in netascii
	for _, c := range []struct {
		name string
		in   []byte
		want string
	}{
		{"no options: DATA at once", rrq("big", "octet"), "DATA 1:512"},
		{"short file", rrq("text", "octet"), "DATA 1:11"},
		{"empty file", rrq("empty", "octet"), "DATA 1:0"},
		{"netascii", rrq("text", "netascii"), "DATA 1:14"},
		{"edk2's probe", rrq("big", "octet", "tsize=0", "blksize=1468", "windowsize=4"), "OACK tsize=3000 blksize=1468 windowsize=4"},
		{"edk2's read: nothing unrequested", rrq("big", "octet", "blksize=1468", "windowsize=4"), "OACK blksize=1468 windowsize=4"},
		{"iPXE", rrq("big", "octet", "blksize=1432", "tsize=0"), "OACK blksize=1432 tsize=3000"},
		{"U-Boot", rrq("big", "octet", "timeout=5", "tsize=0", "blksize=1468"), "OACK timeout=5 tsize=3000 blksize=1468"},
		{"PXELINUX", rrq("big", "octet", "tsize=0", "blksize=1408"), "OACK tsize=3000 blksize=1408"},
		{"spelling is kept", rrq("big", "OCTET", "TSize=0", "BLKSIZE=512"), "OACK TSize=3000 BLKSIZE=512"},
		{"blksize beyond the MTU", rrq("big", "octet", "blksize=65464"), "OACK blksize=1468"},
		{"blksize 1469", rrq("big", "octet", "blksize=1469"), "OACK blksize=1468"},
		{"blksize 8", rrq("big", "octet", "blksize=8"), "OACK blksize=8"},
		{"blksize 7: as if not asked", rrq("big", "octet", "blksize=7"), "DATA 1:512"},
		{"blksize abc: as if not asked", rrq("big", "octet", "blksize=abc", "tsize=0"), "OACK tsize=3000"},
		{"windowsize beyond the cap", rrq("big", "octet", "windowsize=65535"), "OACK windowsize=32"},
		{"windowsize 1", rrq("big", "octet", "windowsize=1"), "OACK windowsize=1"},
		{"netascii with tsize", rrq("text", "netascii", "tsize=0"), "OACK tsize=14"},
		{"netascii with a large blksize", rrq("text", "netascii", "blksize=9000"), "OACK blksize=1468"},
		{"unknown options only", rrq("big", "octet", "multicast=", "rollover=1"), "DATA 1:512"},
		{"every option at its longest", rrq("big", "octet", "windowsize=99", "timeout=255", "blksize=65464", "tsize=18446744073709551615"), "OACK windowsize=32 timeout=255 blksize=1468 tsize=3000"},
		{"backslashes and another case", rrq(`\SUB\In.txt`, "octet"), "DATA 1:2"},
		{"the root in front", rrq("/srv/tftp/text", "octet"), "DATA 1:11"},
		{"missing file", rrq("autoexec.ipxe", "octet", "tsize=0"), "ERROR 1"},
		{"empty name", rrq("", "octet"), "ERROR 1"},
		{"outside the root", rrq("../text", "octet"), "ERROR 1"},
		{"write request", tftp.AppendRequest(nil, tftp.OpWRQ, "text", "octet"), "ERROR 2"},
		{"unknown mode", rrq("text", "mail"), "ERROR 4"},
		{"no mode", []byte("\x00\x01text\x00"), "ERROR 4"},
		{"not terminated", []byte("\x00\x01text\x00octet"), "ERROR 4"},
		{"long name", rrq(strings.Repeat("a", 1400), "octet"), "ERROR 1"},
		{"ACK of nothing", ack(1), ""}, {"ERROR about nothing", errorPacket(0), ""},
		{"DATA", []byte("\x00\x03\x00\x01xxx"), ""}, {"OACK", []byte("\x00\x06tsize\x001\x00"), ""},
		{"opcode 0", []byte("\x00\x00\x00\x00"), ""}, {"opcode 255", []byte("\x00\xff\x00\x00"), ""},
		{"one byte", []byte("\x00"), ""}, {"nothing", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, Config{WindowMax: 32}, image.File{Name: "big", Data: pattern(3000)}, image.File{Name: "text", Data: text},
				image.File{Name: "empty"}, image.File{Name: "sub/in.txt", Data: []byte("in")})
			r.want("the answer", r.recv(c.in), c.want)
			if running := r.table.Active() == 1; running != (strings.HasPrefix(c.want, "OACK") || strings.HasPrefix(c.want, "DATA")) {
				t.Errorf("a transfer runs: %v", running)
			}
			if strings.HasPrefix(c.want, "ERROR 1") && r.last().Kind != batch.EventNotFound ||
				c.want == "ERROR 2" && (r.last().Kind != batch.EventRefused || r.last().Extra != 2) {
				t.Errorf("event %+v", r.last())
			}
		})
	}
}

// TestRequestsThatAreNotOurs: whatever we could not answer from the address
// that was asked is not answered.
func TestRequestsThatAreNotOurs(t *testing.T) {
	for name, change := range map[string]func(p *proto.Packet, link *uint8){
		"limited broadcast": func(p *proto.Packet, _ *uint8) { p.Dst = proto.Limited },
		"subnet broadcast":  func(p *proto.Packet, _ *uint8) { p.Dst = proto.AddrOf(192, 168, 255, 255) },
		"another server":    func(p *proto.Packet, _ *uint8) { p.Dst = proto.AddrOf(192, 168, 1, 2) },
		"unknown link":      func(_ *proto.Packet, l *uint8) { *l = 3 },
		"from no address":   func(p *proto.Packet, _ *uint8) { p.Src = 0 },
		"from everybody":    func(p *proto.Packet, _ *uint8) { p.Src = proto.Limited },
		"from port 0":       func(p *proto.Packet, _ *uint8) { p.SrcPort = 0 },
	} {
		r := newRig(t, Config{}, image.File{Name: "f"})
		link := uint8(0)
		p := r.src
		p.Payload = rrq("f", "octet")
		change(&p, &link)
		r.table.Receive(r.now, &p, link, Stranger, r.tx, &r.ev)
		if r.out() != "" || r.table.Active() != 0 || r.table.Counters().NotOurs != 1 || r.ev.N != 0 {
			t.Errorf("%s was answered", name)
		}
	}
}

func TestRepeatedRequest(t *testing.T) {
	r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(3000)})
	ask := rrq("f", "octet", "blksize=1000", "tsize=0")
	r.want("first", r.recv(ask), "OACK blksize=1000 tsize=3000")
	r.now += 250 * ms
	r.want("the OACK was lost: again", r.recv(ask), "OACK blksize=1000 tsize=3000")
	r.want("ACK 0", r.ack(0), "DATA 1:1000")
	r.want("ACK 1", r.ack(1), "DATA 2:1000")
	r.now += 20 * ms
	r.want("a late copy of the request", r.recv(ask), "")
	r.want("the transfer goes on", r.ack(2), "DATA 3:1000")
	r.now += 1500 * ms
	r.want("the machine was reset and asks again from its port", r.recv(ask), "OACK blksize=1000 tsize=3000")
	c := r.table.Counters()
	if r.table.Active() != 1 || c.Started != 2 || c.Repeated != 1 || c.Late != 1 || c.Replaced != 1 {
		t.Errorf("%d active, %+v", r.table.Active(), *c)
	}
	r.want("another file on the same port", r.recv(rrq("F", "octet")), "DATA 1:512")
	if r.table.Active() != 1 || c.Replaced != 2 {
		t.Errorf("%d active, %+v", r.table.Active(), *c)
	}
}

func TestRepeatedRequestWithoutOptions(t *testing.T) {
	r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(700)})
	r.want("first", r.recv(rrq("f", "octet")), "DATA 1:512")
	r.want("again", r.recv(rrq("f", "octet")), "DATA 1:512")
	r.want("ACK 1", r.ack(1), "DATA 2:188")
	r.want("its echo", r.ack(1), "")
	r.want("ACK 2", r.ack(2), "")
	if r.table.Active() != 0 || r.table.Counters().Done != 1 || r.table.Counters().Started != 1 {
		t.Errorf("%+v", *r.table.Counters())
	}
	if e := r.last(); e.Kind != batch.EventTransferDone || e.Value != 700 || e.Extra != 1 || string(e.Name[:2]) != "f\x00" {
		t.Errorf("event %+v", e)
	}
}

// TestMissingFileEndsWhatRanBefore: the client is somewhere else already.
func TestMissingFileEndsWhatRanBefore(t *testing.T) {
	r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(3000)})
	r.recv(rrq("f", "octet"))
	r.want("missing", r.recv(rrq("none", "octet")), "ERROR 1")
	if r.table.Active() != 0 {
		t.Error("the old transfer still runs")
	}
}

func TestLargestBlockFollowsTheLink(t *testing.T) {
	for _, c := range []struct {
		mtu  int
		want string
	}{
		{1500, "OACK blksize=1468"}, {9000, "OACK blksize=8968"}, {1400, "OACK blksize=1368"}, {65536, "OACK blksize=65464"},
		{0, "OACK blksize=1468"}, {39, "DATA 1:512"}, {40, "OACK blksize=8"},
	} {
		r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(200_000)})
		links := []plan.Link{testLinks[0]}
		links[0].MTU = c.mtu
		r.table.SetLinks(links)
		r.want("the answer", r.recv(rrq("f", "octet", "blksize=65464")), c.want)
	}
}

// TestWindowsFitOneDatagram: a message is cut up by the kernel and must not
// exceed 65,535 bytes.
func TestWindowsFitOneDatagram(t *testing.T) {
	for _, c := range []struct{ mtu, blksize, frames int }{{9000, 8968, 7}, {1500, 1468, 44}, {1500, 512, 64}, {65536, 65464, 1}, {9000, 1019, 64}, {9000, 1020, 63}} {
		r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(10_000_000)})
		links := []plan.Link{testLinks[0]}
		links[0].MTU = c.mtu
		r.table.SetLinks(links)
		p := r.src
		p.Payload = tftp.AppendOption(rrq("f", "octet", "windowsize=64"), []byte("blksize"), uint64(c.blksize))
		r.table.Receive(r.now, &p, 0, Stranger, r.tx, &r.ev)
		r.tx.Sent(1)
		p.Payload = ack(0)
		r.table.Receive(r.now, &p, 0, Stranger, r.tx, &r.ev)
		total := 0
		for r.table.Ready() { // a batch at a time
			r.table.Fill(r.now, r.tx, &r.ev)
			for _, m := range r.tx.Messages[:r.tx.N] {
				bytes := proto.IPv4Len + proto.UDPLen + int(m.Segments)*(4+c.blksize)
				if total == 0 && int(m.Segments) != c.frames || bytes > 65535 || len(m.Heads) != 4*int(m.Segments) {
					t.Errorf("blksize %d: %d frames, %d bytes", c.blksize, m.Segments, bytes)
				}
				total += int(m.Segments)
			}
			r.tx.Sent(r.tx.N)
		}
		if total != 64 {
			t.Errorf("blksize %d: %d frames in all", c.blksize, total)
		}
	}
}
