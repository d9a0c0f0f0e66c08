package conform

import (
	"errors"
	"time"

	"bootstorm/pcap"
	"bootstorm/proto"
)

// talk has a conversation with both servers and returns how ours differs.
func (s *site) talk(name string, first uint32, conversation string) (list []pcap.Difference) {
	s.Helper()
	messages, err := parseMessages(conversation)
	s.must(err)
	for i := range messages {
		s.say(&messages[i], first+uint32(i))
	}
	s.hear(s.waits.silence, func() bool { return false })
	if !s.theirs.process.Running() {
		s.Skipf("dhcpd did not survive %s: nothing is compared:\n%s", name, s.theirs.process.Output())
	}
	if len(s.theirs.replies) == 0 && name != madeUp { // which may deny everything
		s.must(errors.New("dhcpd answers nothing: there is nothing to compare"))
	}
	for i := range messages {
		xid := first + uint32(i)
		list = append(list, compare(name, &messages[i], s.theirs.replies[xid], s.ours.replies[xid])...)
	}
	return list
}

// say sends one message to both and waits until both have answered, or neither.
func (s *site) say(m *message, xid uint32) {
	s.Helper()
	for _, v := range []*server{s.theirs, s.ours} {
		if m.needsGiven() && v.given[m.client] == 0 {
			continue // there was no answer that a client could go on with
		}
		f, err := m.frame(v, xid)
		s.must(err)
		v.conn.Queue(f)
		s.must(v.conn.Flush())
	}
	both := func() bool { return len(s.theirs.replies[xid]) > 0 && len(s.ours.replies[xid]) > 0 }
	if s.hear(s.waits.silence, both); len(s.theirs.replies[xid]) != len(s.ours.replies[xid]) {
		s.hear(s.waits.other, both)
	}
	for _, v := range []*server{s.theirs, s.ours} {
		for _, r := range v.replies[xid] {
			if r.yiaddr != 0 {
				v.given[m.client] = r.yiaddr
			}
		}
	}
}

// hear takes what both servers send until done or for so long.
func (s *site) hear(limit time.Duration, done func() bool) {
	s.Helper()
	for end := time.Now().Add(limit); !done() && time.Now().Before(end); {
		for _, v := range []*server{s.theirs, s.ours} {
			_, err := v.conn.Receive(func(frame []byte, _ bool) { s.take(v, frame) })
			s.must(err)
			s.must(v.conn.Flush())
			s.must(v.conn.Wait(int64(time.Millisecond)))
		}
	}
}

// take keeps a reply, and answers ARP for an address that the client has.
func (s *site) take(v *server, frame []byte) {
	if r, xid, ok := decode(frame); ok {
		v.replies[xid] = append(v.replies[xid], r)
		return
	}
	var p proto.Packet
	if proto.ParseFrame(&p, frame, false) != proto.OK || p.Kind != proto.KindARP || p.ARP.Op != proto.ARPRequest {
		return
	}
	mac, ok := v.owners[p.ARP.TargetAddr]
	if !ok {
		return
	}
	var out [proto.EthernetLen + proto.ARPLen]byte
	proto.PutARP(&out, mac, p.ARP.SenderMAC, &proto.ARP{Op: proto.ARPReply, SenderMAC: mac, SenderAddr: p.ARP.TargetAddr,
		TargetMAC: p.ARP.SenderMAC, TargetAddr: p.ARP.SenderAddr})
	v.conn.Queue(out[:])
}
