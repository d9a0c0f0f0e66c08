package transfer

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/image"
	"bootstorm/proto"
	"bootstorm/proto/tftp"
)

// lateAfter is how long a transfer that runs ignores a repetition of its own
// request, ns. A copy that the network delivered late comes within that time; a
// machine that was reset, and asks again from the same port (iPXE derives its
// ports from its MAC), takes longer to be back.
const lateAfter = batch.Second

// netasciiBlock is the largest block in netascii, which is converted into the
// message itself.
const netasciiBlock = batch.HeadCap - proto.HeadersLen - tftp.HeaderLen

// Texts of our ERRORs. Firmware shows them to people.
const (
	textNotFound  = "File not found"
	textReadOnly  = "Read-only server"
	textMalformed = "Malformed request"
	textMode      = "Unknown transfer mode"
)

// ask handles an RRQ or WRQ.
func (t *Table) ask(now int64, p *proto.Packet, l uint8, who Standing, tx *batch.Tx, ev *batch.Events) {
	t.count.Requests++
	if !t.owns(l, p.Dst) || p.Src == 0 || p.Src == proto.Limited || p.SrcPort == 0 {
		t.count.NotOurs++
		return
	}
	if !t.within(now, p, l, who, ev) {
		return
	}
	id := t.index.find(t.slots, keyOf(p.Src, p.SrcPort))
	if id != none && who < t.guests.places[id].standing {
		t.count.Pretended++
		return
	}
	hash := hashRequest(p.Payload)
	if id != none && t.slots[id].request == hash && t.askedAgain(now, id, p.SrcMAC, l, who, tx) {
		return
	}
	r := &t.request
	status := tftp.ParseRequest(r, p.Payload)
	switch {
	case r.Op == tftp.OpWRQ:
		t.refuse(now, p, l, tftp.ErrAccess, textReadOnly, tx, ev)
		return
	case status == tftp.Malformed:
		t.refuse(now, p, l, tftp.ErrIllegal, textMalformed, tx, ev)
		return
	case status == tftp.UnknownMode:
		t.refuse(now, p, l, tftp.ErrIllegal, textMode, tx, ev)
		return
	}
	if id != none { // the client has begun anew
		t.count.Replaced++
		t.end(id)
	}
	t.grant(now, p, l, who, hash, tx, ev)
}

// within tells whether the sender of a request keeps to the rate limit: of an
// address, the node that it belongs to and anybody else have one each.
func (t *Table) within(now int64, p *proto.Packet, l uint8, who Standing, ev *batch.Events) bool {
	ok, first := t.askers.Take(spread(uint64(who)<<32|uint64(p.Src), t.index.seed)*0x9e3779b97f4a7c15, now)
	if ok {
		return true
	}
	t.count.Excess++
	if first {
		e := ev.Add(batch.EventExcess, now)
		e.Link, e.Addr, e.Value, e.Extra = l, p.Src, t.rate, proto.PortTFTP
	}
	return false
}

// askedAgain handles the request of a running transfer that comes once more. It
// reports false if the client has begun anew and the old transfer is to go.
// Answers go to where the repetition came from: where nothing of the transfer has
// arrived, the hardware address of the first request may have been damaged on its
// way, since no checksum of IP covers it, or the node has moved to its other link.
// A transfer that runs for somebody who is only pretended to be this sender is no
// reason to wait.
func (t *Table) askedAgain(now int64, id int32, mac proto.MAC, l uint8, who Standing, tx *batch.Tx) bool {
	s := &t.slots[id]
	if t.guests.raise(id, who); t.guests.places[id].standing < who {
		return false
	}
	switch {
	case s.flags&flagOack != 0: // the OACK was lost
		t.count.Repeated++
		s.mac, s.link = mac, l
		t.repeatOack(now, id, tx)
	case s.acked == 0 && s.oackLen == 0: // DATA 1 was lost, or is still waiting
		t.count.Repeated++
		s.mac, s.link = mac, l
		t.again(now, id, 0)
	case now-s.heard < lateAfter:
		t.count.Late++
	default:
		return false
	}
	return true
}

// grant answers a read request whose form is right.
func (t *Table) grant(now int64, p *proto.Packet, l uint8, who Standing, hash uint64, tx *batch.Tx, ev *batch.Events) {
	g := t.files.current
	file, ok := t.files.list[g].set.Lookup(t.request.Name)
	if !ok {
		t.count.NotFound++
		t.deny(p, l, tftp.ErrNotFound, textNotFound, tx)
		e := newEvent(batch.EventNotFound, now, p.SrcMAC, l, p.Src, p.SrcPort, ev)
		copy(e.Name[:], t.request.Name)
		return
	}
	var filled *image.File
	if t.files.list[g].set.File(file).Template {
		if filled = t.filled(now, p, l, t.files.list[g].set.File(file).Name, tx, ev); filled == nil {
			return
		}
	}
	if !t.makeRoom(p.Src, who) { // silence: the client asks again, an ERROR would be final
		e := newEvent(batch.EventFull, now, p.SrcMAC, l, p.Src, p.SrcPort, ev)
		e.Reason = batch.ReasonTransfersFull
		copy(e.Name[:], t.request.Name)
		return
	}
	id := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	t.files.list[g].users++
	s := &t.slots[id]
	*s = slot{
		key: keyOf(p.Src, p.SrcPort), request: hash, mac: p.SrcMAC, link: l, server: p.Dst,
		generation: g, file: file, heard: now, started: now, sentAt: now, recover: -1,
		blksize: tftp.DefaultBlksize, window: 1, rto: firstRTO, habit: habitOf(&t.request), credit: t.past.of(now, p.Src),
	}
	if filled != nil {
		s.file, t.own[id] = ^id, filled
	}
	t.index.add(t.slots, id)
	t.guests.enter(id, p.Src, who)
	t.negotiate(s)
	t.count.Started++
	e := t.event(batch.EventTransferStart, now, s, ev)
	e.Value, e.Extra = s.size, uint32(s.blksize)<<16|uint32(s.window)
	if s.oackLen > 0 {
		s.flags |= flagOack
		t.sendOack(now, id, tx)
		return
	}
	s.limit = s.ahead()
	t.wake(now, id)
}

// filled finds what a template is for the node that asks, nil if it gets none now.
// Where it is not filled in yet the node asks again, as after a lost frame; where it
// cannot be, an ERROR lets the node go on to what it tries next, at once.
func (t *Table) filled(now int64, p *proto.Packet, l uint8, name string, tx *batch.Tx, ev *batch.Events) *image.File {
	f := t.rendered.Find(p.Src, p.SrcMAC, name)
	if f != nil && !f.Template {
		return f
	}
	kind := batch.EventFull
	if f != nil {
		kind = batch.EventNotFound
		t.count.NotFound++
		t.deny(p, l, tftp.ErrNotFound, textNotFound, tx)
	} else {
		t.count.Unfilled++
	}
	e := newEvent(kind, now, p.SrcMAC, l, p.Src, p.SrcPort, ev)
	e.Reason = batch.ReasonNotFilled
	copy(e.Name[:], name)
	return nil
}

// negotiate takes the options over and writes the OACK: the options that were
// requested and can be granted, in the same order and spelling (RFC 2347). One
// that was not requested must not be in it: edk2 and PXELINUX give up.
func (t *Table) negotiate(s *slot) {
	f := t.fileOf(s)
	s.size = int64(len(f.Data))
	largest := t.links[s.link].block // nothing we send is fragmented
	if t.request.Mode == tftp.ModeNetascii {
		s.flags |= flagNetascii
		s.size = f.NetasciiSize
		largest = min(largest, netasciiBlock)
	}
	for i := range t.request.Count {
		o := &t.request.Options[i]
		v := int64(o.Value)
		switch o.Kind {
		case tftp.Blksize:
			if largest < tftp.MinBlksize {
				continue
			}
			v = min(v, largest)
			s.blksize = uint16(v)
		case tftp.Windowsize:
			v = min(v, t.window)
			s.window = uint16(v)
		case tftp.Timeout:
			s.timeout = uint8(v)
		case tftp.Tsize:
			v = s.size
		}
		s.option(o.Name, uint64(v))
	}
	s.total = s.size/int64(s.blksize) + 1
	s.part = 255
	if s.size >= reportFrom {
		s.part = 1
	}
}

// Progress is reported of files of reportFrom bytes and more, each time that
// another of reportParts parts has arrived: smaller ones are over before
// anybody looks, and one event costs as much as a frame.
const (
	reportFrom  = 4 << 20
	reportParts = 16
)

// option adds an option to the OACK. The four options need 2 + 14 + 14 + 12
// bytes and 7 + the digits of the size; a file of more than 10^13 bytes would
// not fit, nor in memory.
func (s *slot) option(name []byte, value uint64) {
	b := s.oack[:s.oackLen]
	if s.oackLen == 0 {
		b = tftp.AppendOpcode(b, tftp.OpOack)
	}
	if b = tftp.AppendOption(b, name, value); len(b) <= len(s.oack) {
		s.oackLen = uint8(len(b))
	}
}

// refuse answers a request with an ERROR that is no everyday matter.
func (t *Table) refuse(now int64, p *proto.Packet, l uint8, code uint16, text string, tx *batch.Tx, ev *batch.Events) {
	t.count.Refused++
	t.deny(p, l, code, text, tx)
	e := newEvent(batch.EventRefused, now, p.SrcMAC, l, p.Src, p.SrcPort, ev)
	e.Extra = uint32(code)
	copy(e.Name[:], t.request.Name)
}

// deny sends an ERROR.
func (t *Table) deny(p *proto.Packet, l uint8, code uint16, text string, tx *batch.Tx) {
	m := tx.Next()
	b := tftp.AppendError(m.Head[:proto.HeadersLen], code, text)
	head := (*[proto.HeadersLen]byte)(b)
	payload := b[proto.HeadersLen:]
	proto.PutHeaders(head, t.links[l].mac, p.SrcMAC, p.Dst, p.Src, proto.PortTFTP, p.SrcPort, t.nextID(1), len(payload))
	proto.FinishUDP(head, payload, nil)
	m.HeadLen, m.Link = len(b), l
	tx.Commit()
}

// hashRequest is FNV-1a, 64 bits: it tells a repeated request from another one
// of the same client, which nobody gains from deceiving.
func hashRequest(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}
