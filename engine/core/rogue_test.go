package core

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// otherReply is a reply of another server, broadcast as to firmware.
type otherReply struct {
	kind           dhcp.Type
	mac            proto.MAC  // of its sender
	from           proto.Addr // IP source
	id             proto.Addr // option 54, 0: none
	client         proto.MAC
	yiaddr, giaddr proto.Addr
}

func (r otherReply) frame() []byte {
	var p [dhcp.OptionsOff + 40]byte
	h := dhcp.View(p[:])
	p[0], p[1], p[2] = dhcp.BootReply, 1, 6
	copy(p[28:], r.client[:])
	h.SetYIAddr(r.yiaddr)
	r.giaddr.Put((*[4]byte)(p[24:28]))
	copy(p[dhcp.CookieOff:], []byte{0x63, 0x82, 0x53, 0x63, 53, 1, byte(r.kind)})
	at := dhcp.OptionsOff + 3
	if r.id != 0 {
		p[at], p[at+1] = dhcp.OptServerID, 4
		r.id.Put((*[4]byte)(p[at+2 : at+6]))
		at += 6
	}
	p[at] = dhcp.OptEnd
	f := make([]byte, proto.HeadersLen, proto.HeadersLen+len(p))
	head := (*[proto.HeadersLen]byte)(f)
	proto.PutHeaders(head, r.mac, proto.Broadcast, r.from, proto.Limited, 67, 68, 1, len(p))
	proto.FinishUDP(head, p[:], nil)
	return append(f, p[:]...)
}

var rogueMAC = proto.MAC{0x0a, 0xbb, 0, 0, 0, 9}

func rogue(n byte) otherReply {
	return otherReply{dhcp.Offer, rogueMAC, host(200), host(200), machine(n).mac, host(77), 0}
}

func (w *world) all(kind batch.EventKind) (all []batch.Event) {
	for i := range w.events {
		if w.events[i].Kind == kind {
			all = append(all, w.events[i])
		}
	}
	return all
}

func TestRogueServerIsReported(t *testing.T) {
	w := newWorld(t, plain)
	w.frame(rogue(2).frame())
	ack := rogue(2)
	ack.kind = dhcp.Ack
	w.frame(ack.frame())
	w.frame(rogue(3).frame())
	servers, rivals := w.all(batch.EventRogue), w.all(batch.EventRival)
	if len(servers) != 1 || len(rivals) != 3 || w.core.count.Rogue != 3 {
		t.Fatalf("%d servers, %d clients reported; %d counted", len(servers), len(rivals), w.core.count.Rogue)
	}
	s, c := servers[0], rivals[1]
	if proto.MAC(s.HW[:6]) != rogueMAC || s.HWLen != 6 || s.Addr != host(200) || s.Value != int64(dhcp.Offer) || proto.Addr(s.Extra) != host(77) {
		t.Errorf("server: %+v", s)
	}
	if proto.MAC(c.HW[:6]) != machine(2).mac || c.Addr != host(200) || c.Value != int64(dhcp.Ack) || proto.Addr(c.Extra) != host(77) {
		t.Errorf("client: %+v", c)
	}
	w.pass(61)
	w.frame(rogue(2).frame())
	if n := len(w.all(batch.EventRogue)); n != 2 {
		t.Errorf("after a minute reported %d times", n)
	}
}

func TestWhichServersAreRogue(t *testing.T) {
	const permit = plain + "permitted-servers 192.168.1.200, 192.168.1.201;"
	for _, c := range []struct {
		name  string
		conf  string
		reply func(*otherReply)
		want  bool
	}{
		{"another server", plain, func(*otherReply) {}, true},
		{"without an identifier", plain, func(r *otherReply) { r.id = 0 }, true},
		{"that pretends to be this one", plain, func(r *otherReply) { r.id, r.from = serverAddr, serverAddr }, true},
		{"a relay that passes on ours", plain, func(r *otherReply) { r.id, r.giaddr = serverAddr, host(254) }, false},
		{"our own frame", plain, func(r *otherReply) { r.mac = serverMAC }, false},
		{"permitted", permit, func(*otherReply) {}, false},
		{"permitted, the second", permit, func(r *otherReply) { r.id = host(201) }, false},
		{"not among the permitted", permit, func(r *otherReply) { r.id, r.from = host(202), host(202) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.conf)
			r := rogue(2)
			c.reply(&r)
			if got := w.frame(r.frame()); len(got) != 0 {
				t.Fatal("answered")
			}
			if got := len(w.all(batch.EventRogue)) == 1; got != c.want {
				t.Errorf("reported: %v", got)
			}
		})
	}
}

// A flood of made-up servers is no flood of events.
func TestRogueReportsAreBounded(t *testing.T) {
	w := newWorld(t, plain)
	for i := range 20_000 {
		w.now.Mono += 50 * batch.Microsecond // 1 s in all
		r := rogue(byte(i))
		r.mac, r.client = madeUp(i).mac, madeUp(i+70_000).mac
		r.id = proto.Addr(i + 1<<24)
		w.frame(r.frame())
	}
	if n := len(w.events); n < 100 || n > 120 {
		t.Errorf("%d events", n)
	}
	if w.core.count.Rogue != 20_000 {
		t.Errorf("%d replies counted", w.core.count.Rogue)
	}
	for i, f := range [][]byte{rogue(1).frame()[:60], rogue(1).frame()[:proto.HeadersLen+100]} {
		proto.SetPayloadLen((*[proto.HeadersLen]byte)(f), len(f)-proto.HeadersLen)
		if w.frame(f); w.core.count.Rogue != 20_000 {
			t.Errorf("cut reply %d was taken for one", i)
		}
	}
}

// The story of a client that chose another server says which.
func TestRequestToAnotherServerNamesIt(t *testing.T) {
	w := newWorld(t, plain)
	w.ask(machine(2))
	w.silent(machine(2).of(dhcp.Request).naming(host(200)).asking(host(77)), batch.ReasonOtherServer)
	if e := w.last(batch.EventSilence); proto.Addr(e.Extra) != host(200) {
		t.Errorf("%+v", e)
	}
}

// A machine that uses the server's own address is reported.
func TestServersAddressUsedByAnother(t *testing.T) {
	w := newWorld(t, guide)
	w.arp(serverAddr, serverMAC)
	if len(w.all(batch.EventConflict)) != 0 {
		t.Error("the server is no conflict with itself")
	}
	for range 100 {
		w.arp(serverAddr, rogueMAC)
	}
	all := w.all(batch.EventConflict)
	if len(all) != 1 || all[0].Addr != serverAddr || proto.MAC(all[0].HW[:6]) != rogueMAC || all[0].Reason != batch.ReasonServerAddress {
		t.Errorf("%+v", all)
	}
}
