package dhcp

import (
	"bytes"
	"testing"

	"bootstorm/proto"
)

// Every field of RFC 2131 figure 1 stands where it belongs: each byte of the
// message has a value of its own and each getter must find it.
func TestHeaderLayout(t *testing.T) {
	b := make([]byte, HeaderLen)
	for i := range b {
		b[i] = byte(i)
	}
	h := View(b)
	for _, c := range []struct {
		field     string
		got, want uint32
	}{
		{"op", uint32(h.Op()), 0},
		{"htype", uint32(h.HType()), 1},
		{"hlen", uint32(h.HLen()), 2},
		{"hops", uint32(h.Hops()), 3},
		{"xid", h.XID(), 0x04050607},
		{"secs", uint32(h.Secs()), 0x0809},
		{"flags", uint32(h.Flags()), 0x0a0b},
		{"ciaddr", uint32(h.CIAddr()), 0x0c0d0e0f},
		{"yiaddr", uint32(h.YIAddr()), 0x10111213},
		{"siaddr", uint32(h.SIAddr()), 0x14151617},
		{"giaddr", uint32(h.GIAddr()), 0x18191a1b},
		{"chaddr", uint32(h.CHAddr()[0]), 28},
		{"chaddr end", uint32(h.CHAddr()[15]), 43},
		{"sname", uint32(h.SName()[0]), 44},
		{"sname end", uint32(h.SName()[63]), 107},
		{"file", uint32(h.File()[0]), 108},
		{"file end", uint32(h.File()[127]), 235},
	} {
		if c.got != c.want {
			t.Errorf("%s is %#x, want %#x", c.field, c.got, c.want)
		}
	}
}

// Each setter changes its own field and no other byte.
func TestHeaderSetters(t *testing.T) {
	for _, c := range []struct {
		field    string
		set      func(h *Header)
		from, to int
		want     []byte
	}{
		{"op", func(h *Header) { h.SetOp(2) }, 0, 1, []byte{2}},
		{"hops", func(h *Header) { h.SetHops(9) }, 3, 4, []byte{9}},
		{"xid", func(h *Header) { h.SetXID(0x01020304) }, 4, 8, []byte{1, 2, 3, 4}},
		{"secs", func(h *Header) { h.SetSecs(0x0102) }, 8, 10, []byte{1, 2}},
		{"flags", func(h *Header) { h.SetFlags(FlagBcast) }, 10, 12, []byte{0x80, 0}},
		{"ciaddr", func(h *Header) { h.SetCIAddr(proto.AddrOf(1, 2, 3, 4)) }, 12, 16, []byte{1, 2, 3, 4}},
		{"yiaddr", func(h *Header) { h.SetYIAddr(proto.AddrOf(1, 2, 3, 4)) }, 16, 20, []byte{1, 2, 3, 4}},
		{"siaddr", func(h *Header) { h.SetSIAddr(proto.AddrOf(1, 2, 3, 4)) }, 20, 24, []byte{1, 2, 3, 4}},
		{"giaddr", func(h *Header) { h.SetGIAddr(proto.AddrOf(1, 2, 3, 4)) }, 24, 28, []byte{1, 2, 3, 4}},
	} {
		b := bytes.Repeat([]byte{0xee}, HeaderLen)
		c.set(View(b))
		want := bytes.Repeat([]byte{0xee}, HeaderLen)
		copy(want[c.from:c.to], c.want)
		if !bytes.Equal(b, want) {
			t.Errorf("%s: % x", c.field, b[:44])
		}
	}
}

func TestViewNeedsTheWholeHeader(t *testing.T) {
	if View(make([]byte, HeaderLen-1)) != nil || View(nil) != nil {
		t.Error("a short message has a view")
	}
	if View(make([]byte, HeaderLen)) == nil {
		t.Error("a header without options has no view: RFC 951 messages end there")
	}
}

func TestHW(t *testing.T) {
	for _, c := range []struct {
		name string
		hlen byte
		ok   bool
		want HW
	}{
		{"ethernet", 6, true, HW{Type: 1, Len: 6, Addr: [16]byte{0x52, 0x54, 0, 0x12, 0x34, 1}}},
		{"zero", 0, true, HW{Type: 1}},
		{"bytes behind hlen do not count", 3, true, HW{Type: 1, Len: 3, Addr: [16]byte{0x52, 0x54}}},
		{"whole field", 16, true, HW{Type: 1, Len: 16, Addr: [16]byte{0x52, 0x54, 0, 0x12, 0x34, 1, 15: 0xaa}}},
		{"above the field", 17, false, HW{}},
		{"largest", 255, false, HW{}},
	} {
		b := at(at(message(), 2, c.hlen), 43, 0xaa)
		hw, ok := View(b).HW()
		if hw != c.want || ok != c.ok {
			t.Errorf("%s: %+v, %v", c.name, hw, ok)
		}
	}
	hw, _ := View(message()).HW()
	if hw.MAC() != clientMAC {
		t.Errorf("MAC is %s", hw.MAC())
	}
}

func TestTypeNames(t *testing.T) {
	for typ, want := range map[Type]string{BOOTP: "BOOTP", Discover: "DISCOVER", Offer: "OFFER", Request: "REQUEST",
		Decline: "DECLINE", Ack: "ACK", Nak: "NAK", Release: "RELEASE", Inform: "INFORM", 9: "TYPE?", 255: "TYPE?"} {
		if typ.String() != want {
			t.Errorf("%d is called %s, want %s", typ, typ, want)
		}
	}
	if Discover != 1 || Nak != 6 || Inform != 8 { // RFC 2132 section 9.6
		t.Error("the numbers of the message types are wrong")
	}
}
