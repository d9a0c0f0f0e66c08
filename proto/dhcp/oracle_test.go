package dhcp

import (
	"bytes"
	"net"
	"testing"

	"bootstorm/proto"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// What the writer makes, gopacket reads as meant.
func TestGopacketReadsOurReply(t *testing.T) {
	buf := make([]byte, 576)
	var w Writer
	h := w.Reset(buf)
	h.SetOp(BootReply)
	h[1], h[2] = 1, 6
	h.SetXID(0xa0b1c2d3)
	h.SetSecs(4)
	h.SetFlags(FlagBcast)
	h.SetCIAddr(proto.AddrOf(10, 0, 0, 1))
	h.SetYIAddr(proto.AddrOf(192, 168, 1, 2))
	h.SetSIAddr(proto.AddrOf(192, 168, 1, 1))
	h.SetGIAddr(proto.AddrOf(10, 0, 0, 2))
	copy(h.CHAddr()[:], clientMAC[:])
	copy(h.SName()[:], "node_1")
	copy(h.File()[:], "ipxe.efi")
	w.Option(OptMessageType, []byte{byte(Offer)})
	w.Option(OptServerID, []byte{192, 168, 1, 1})
	w.Option(OptVendorSpecific, bytes.Repeat([]byte{7}, 200))

	var d layers.DHCPv4
	if err := d.DecodeFromBytes(buf[:w.End()], gopacket.NilDecodeFeedback); err != nil {
		t.Fatal(err)
	}
	if d.Operation != layers.DHCPOpReply || d.Xid != 0xa0b1c2d3 || d.Secs != 4 || d.Flags != FlagBcast {
		t.Errorf("read as %+v", d)
	}
	for _, c := range []struct {
		field string
		got   net.IP
		want  string
	}{{"ciaddr", d.ClientIP, "10.0.0.1"}, {"yiaddr", d.YourClientIP, "192.168.1.2"}, {"siaddr", d.NextServerIP, "192.168.1.1"},
		{"giaddr", d.RelayAgentIP, "10.0.0.2"}} {
		if c.got.String() != c.want {
			t.Errorf("%s is %s, want %s", c.field, c.got, c.want)
		}
	}
	if proto.MAC(d.ClientHWAddr) != clientMAC || string(d.ServerName[:6]) != "node_1" || string(d.File[:8]) != "ipxe.efi" {
		t.Errorf("chaddr %v, sname %q, file %q", d.ClientHWAddr, d.ServerName, d.File)
	}
	if len(d.Options) < 3 || d.Options[0].Type != layers.DHCPOptMessageType || d.Options[0].Data[0] != byte(layers.DHCPMsgTypeOffer) ||
		d.Options[1].Type != layers.DHCPOptServerID || len(d.Options[2].Data) != 200 {
		t.Errorf("options %v", d.Options)
	}
}

// What gopacket makes, we read as meant.
func TestWeReadGopacketsRequest(t *testing.T) {
	d := &layers.DHCPv4{Operation: layers.DHCPOpRequest, HardwareType: layers.LinkTypeEthernet, HardwareLen: 6, HardwareOpts: 1,
		Xid: 0x01020304, Secs: 12, Flags: FlagBcast, ClientIP: net.IPv4(1, 2, 3, 4), YourClientIP: net.IPv4(2, 3, 4, 5),
		NextServerIP: net.IPv4(3, 4, 5, 6), RelayAgentIP: net.IPv4(4, 5, 6, 7), ClientHWAddr: clientMAC[:],
		ServerName: []byte("sname"), File: []byte("file"), Options: layers.DHCPOptions{
			layers.NewDHCPOption(layers.DHCPOptMessageType, []byte{byte(layers.DHCPMsgTypeDiscover)}),
			layers.NewDHCPOption(layers.DHCPOptPad, nil),
			layers.NewDHCPOption(layers.DHCPOptParamsRequest, []byte{1, 3, 66, 67}),
			layers.NewDHCPOption(layers.DHCPOptClassID, []byte("PXEClient:Arch:00007:UNDI:003000")),
		}}
	buf := gopacket.NewSerializeBuffer()
	if err := d.SerializeTo(buf, gopacket.SerializeOptions{FixLengths: true}); err != nil {
		t.Fatal(err)
	}
	h := View(buf.Bytes())
	if h.Op() != BootRequest || h.Hops() != 1 || h.XID() != 0x01020304 || h.Secs() != 12 || h.Flags() != FlagBcast ||
		h.CIAddr() != proto.AddrOf(1, 2, 3, 4) || h.YIAddr() != proto.AddrOf(2, 3, 4, 5) ||
		h.SIAddr() != proto.AddrOf(3, 4, 5, 6) || h.GIAddr() != proto.AddrOf(4, 5, 6, 7) {
		t.Errorf("header % x", h[:44])
	}
	if hw, ok := h.HW(); !ok || hw.MAC() != clientMAC || string(h.SName()[:5]) != "sname" || string(h.File()[:4]) != "file" {
		t.Errorf("chaddr %+v, sname %q, file %q", hw, h.SName(), h.File())
	}
	var o Options
	if !o.Parse(buf.Bytes()) {
		t.Fatal("options refused")
	}
	if typ, _ := o.MessageType(); typ != Discover || string(mustGet(t, &o, OptVendorClass)) != "PXEClient:Arch:00007:UNDI:003000" ||
		!bytes.Equal(mustGet(t, &o, OptParameterList), []byte{1, 3, 66, 67}) {
		t.Errorf("options read differently: %s", typ)
	}
}
