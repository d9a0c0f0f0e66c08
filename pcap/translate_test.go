package pcap

import (
	"bytes"
	"encoding/binary"
	"testing"

	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

var given = proto.AddrOf(192, 168, 1, 4) // what our side gave where the captured server gave client

// newTranslator translates for a server of another address, and a client of
// another address.
func newTranslator() *translator {
	ours := Server{MAC: proto.MAC{2, 0, 0, 0, 0, 7}, Addr: proto.AddrOf(192, 168, 1, 9), Mask: server.Mask}
	t := &translator{theirs: server, ours: ours, ports: map[uint16]bool{4000: true}, given: make(map[proto.MAC]map[proto.Addr]proto.Addr), adapted: make(map[string]int)}
	t.learn(clientMAC, client, given)
	return t
}

// translate passes one frame through, and through the engine's gate.
func translate(t *testing.T, tr *translator, b []byte) (frame, proto.Packet) {
	t.Helper()
	f, ok := tr.client(&Record{Data: b, Length: len(b)})
	if !ok {
		t.Fatal("the frame was not delivered")
	}
	var p proto.Packet
	if drop := proto.ParseFrame(&p, f.data, f.checksum); drop != proto.OK {
		t.Fatalf("the translated frame is dropped: %v\n%x", drop, f.data)
	}
	return f, p
}

func TestTranslateTransfer(t *testing.T) {
	tr := newTranslator()
	before := fromClient(4000, []byte("\x00\x04\x00\x01"))
	f, p := translate(t, tr, before)
	if !f.checksum || p.Src != given || p.Dst != tr.ours.Addr || p.DstPort != proto.PortTFTP || p.DstMAC != tr.ours.MAC || p.SrcPort != 2000 {
		t.Errorf("an acknowledgement becomes %+v", p)
	}
	if before[36] != 4000>>8 || !bytes.Equal(before, fromClient(4000, []byte("\x00\x04\x00\x01"))) {
		t.Error("the capture itself was changed")
	}
	if _, p := translate(t, tr, fromClient(5000, []byte("x"))); p.DstPort != 5000 {
		t.Error("a port that the server did not transfer from was replaced")
	}
	want := map[string]int{AdaptPort: 1, AdaptAddress: 2, AdaptServer: 2}
	for k, n := range want {
		if tr.adapted[k] != n {
			t.Errorf("%q is counted %d times, want %d", k, tr.adapted[k], n)
		}
	}
}

func TestTranslateDHCP(t *testing.T) {
	tr := newTranslator()
	body := dhcpMessage(dhcp.Request, 1, func(h *dhcp.Header, w *dhcp.Writer) {
		h.SetCIAddr(client)
		w.Option(dhcp.OptServerID, []byte{192, 168, 1, 1})
		w.Option(dhcp.OptRequestedAddr, []byte{192, 168, 1, 2})
		w.Option(dhcp.OptClientID, []byte{192, 168, 1, 2}) // looks like the address, is none
	})
	_, p := translate(t, tr, udpFrame(clientMAC, proto.Broadcast, endpoint{0, 68}, endpoint{proto.Limited, 67}, body))
	m, ok := parseDHCP(p.Payload)
	if !ok || p.DstMAC != proto.Broadcast || p.Src != 0 {
		t.Fatalf("a broadcast becomes %+v", p)
	}
	if ci, _ := m.field("ciaddr"); ci != given.String() || m.addr(dhcp.OptServerID) != tr.ours.Addr || m.addr(dhcp.OptRequestedAddr) != given || m.addr(dhcp.OptClientID) != client {
		t.Errorf("the message becomes %v", m.fields)
	}
	// Another machine that was given the same address keeps it.
	other := udpFrame(proto.MAC{2, 2, 2, 2, 2, 2}, proto.Broadcast, endpoint{0, 68}, endpoint{proto.Limited, 67}, body)
	_, p = translate(t, tr, other)
	if m, _ := parseDHCP(p.Payload); m.addr(dhcp.OptRequestedAddr) != client {
		t.Error("the address of another machine was replaced")
	}
}

func TestTranslateARP(t *testing.T) {
	tr := newTranslator()
	var b [proto.EthernetLen + proto.ARPLen]byte
	proto.PutARP(&b, clientMAC, proto.Broadcast, &proto.ARP{Op: proto.ARPRequest, SenderMAC: clientMAC, SenderAddr: client, TargetAddr: server.Addr})
	_, p := translate(t, tr, b[:])
	if p.ARP.SenderAddr != given || p.ARP.TargetAddr != tr.ours.Addr {
		t.Errorf("an ARP request becomes %+v", p.ARP)
	}
}

// A port unreachable quotes a block that the captured server sent: it becomes
// one about ours, with a right checksum, also when its end was cut.
func TestTranslateUnreachable(t *testing.T) {
	for _, cut := range []bool{false, true} {
		tr := newTranslator()
		quote := fromServer(4000, append([]byte{0, 3, 0, 9}, make([]byte, 200)...))[14:]
		b := ipFrame(1, 0, append([]byte{3, 3, 0, 0, 0, 0, 0, 0}, quote...))
		copy(b, serverMAC[:])
		copy(b[6:], clientMAC[:])
		client.Put((*[4]byte)(b[26:]))
		server.Addr.Put((*[4]byte)(b[30:]))
		v := look(b)
		finishIP(b, &v)
		finishICMP(b, &v)
		r := Record{Data: b, Length: len(b)}
		if cut {
			r.Data = b[:keep(b)]
		}
		f, ok := tr.client(&r)
		var p proto.Packet
		if drop := proto.ParseFrame(&p, f.data, true); !ok || drop != proto.OK || p.Kind != proto.KindUnreachable {
			t.Fatalf("cut %v: dropped: %v", cut, drop)
		}
		if p.Src != tr.ours.Addr || p.SrcPort != proto.PortTFTP || p.Dst != given || p.DstPort != 2000 {
			t.Errorf("cut %v: it becomes %+v", cut, p)
		}
	}
}

func TestTranslateChecksums(t *testing.T) {
	whole := fromClient(4000, []byte("\x00\x04\x00\x01"))
	change := func(f func(b []byte)) []byte {
		b := bytes.Clone(whole)
		f(b)
		return b
	}
	partial := change(func(b []byte) {
		binary.BigEndian.PutUint16(b[40:], proto.Fold(proto.PseudoSum(client, server.Addr, 12)))
	})
	for _, k := range []struct {
		name     string
		frame    []byte
		checksum bool
		want     proto.Drop
	}{
		{"right", whole, true, proto.OK},
		{"absent", change(func(b []byte) { b[40], b[41] = 0, 0 }), true, proto.OK},
		{"unfinished", partial, false, proto.OK},
		{"wrong stays wrong", change(func(b []byte) { b[45] ^= 1 }), true, proto.DropUDPChecksum},
	} {
		f, _ := newTranslator().client(&Record{Data: k.frame, Length: len(k.frame)})
		var p proto.Packet
		if drop := proto.ParseFrame(&p, f.data, f.checksum); drop != k.want || f.checksum != k.checksum {
			t.Errorf("%s: %v, checksum finished %v", k.name, drop, f.checksum)
		}
	}
	// What was not captured is filled up, and its checksum cannot be tested.
	f, _ := newTranslator().client(&Record{Data: whole[:44], Length: 600})
	if len(f.data) != 600 || f.checksum {
		t.Errorf("a cut frame has %d bytes, checksum finished %v", len(f.data), f.checksum)
	}
}

func TestTranslateDelivery(t *testing.T) {
	tr := newTranslator()
	to := func(m proto.MAC) []byte { return append(m[:], fromClient(69, nil)[6:]...) }
	for _, k := range []struct {
		name  string
		frame []byte
		want  bool
	}{
		{"to the server", to(serverMAC), true}, {"broadcast", to(proto.Broadcast), true}, {"multicast", to(proto.MAC{0x33, 0x33, 0, 0, 0, 2}), true},
		{"to another machine", to(proto.MAC{2, 0, 0, 0, 0, 0x44}), false}, {"shorter than a header", make([]byte, 10), false},
	} {
		if _, ok := tr.client(&Record{Data: k.frame, Length: len(k.frame)}); ok != k.want {
			t.Errorf("%s: delivered %v", k.name, ok)
		}
	}
	// Frames that carry nothing to translate pass unchanged.
	six := ipv6Frame(58, []byte{133, 0, 0, 0})
	copy(six, []byte{0x33, 0x33, 0, 0, 0, 2})
	if f, ok := tr.client(&Record{Data: six, Length: len(six)}); !ok || !bytes.Equal(f.data, six) {
		t.Error("an IPv6 frame was changed")
	}
}

// Behind a tagged port the daemon runs on an interface of the VLAN, which sees
// frames without tags.
func TestTranslateTags(t *testing.T) {
	plain := fromClient(4000, []byte("\x00\x04\x00\x01"))
	want, _ := newTranslator().client(&Record{Data: plain, Length: len(plain)})
	for n, b := range [][]byte{tagged(plain), tagged(tagged(plain))} {
		tr := newTranslator()
		f, ok := tr.client(&Record{Data: b, Length: len(b)})
		if !ok || !bytes.Equal(f.data, want.data) || f.checksum != want.checksum || tr.adapted[AdaptTags] != 1 {
			t.Errorf("%d tags: %x, want %x", n+1, f.data, want.data)
		}
	}
}

func TestLearn(t *testing.T) {
	tr := &translator{given: make(map[proto.MAC]map[proto.Addr]proto.Addr)}
	tr.learn(clientMAC, client, client)
	if len(tr.given) != 0 {
		t.Error("an equal choice was noted")
	}
	tr.learn(clientMAC, client, given)
	tr.learn(clientMAC, client, client)
	if tr.given[clientMAC][client] != client {
		t.Error("a later choice does not replace an earlier one")
	}
}
