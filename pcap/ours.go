package pcap

import (
	"cmp"
	"fmt"
	"slices"

	"bootstorm/proto"
)

// sent takes one frame of ours.
func (r *run) sent(b []byte) {
	r.result.Sent++
	r.show(true, b)
	if isAdvert(b) {
		r.result.Adverts++
		return
	}
	var p proto.Packet
	if drop := proto.ParseFrame(&p, b, true); drop != proto.OK {
		r.differ(Difference{Message: "FRAME", Field: "malformed", Ours: drop.String(), Theirs: Absent})
		return
	}
	switch {
	case p.Kind == proto.KindARP:
		r.sentARP(&p.ARP)
	case p.SrcPort == proto.PortBOOTPServer || p.SrcPort == proto.PortPXE: // 4011 speaks DHCP too
		r.sentDHCP(b)
	case p.SrcPort == proto.PortTFTP:
		r.sentTFTP(&p)
	default:
		r.differ(Difference{Message: "FRAME", Field: "extra", Ours: fmt.Sprintf("from port %d", p.SrcPort), Theirs: Absent})
	}
}

// isAdvert tells whether a frame of ours is a router advertisement, which the
// captured servers had no part in.
func isAdvert(b []byte) bool {
	return len(b) == proto.AdvertLen && look(b).etherType == proto.EtherTypeIPv6
}

// differ adds a difference found on the way, in answer to the current frame.
func (r *run) differ(d Difference) {
	d.Record, d.At = r.record+1, r.Capture.Records[r.record].Time-r.Survey.start
	if b := r.Capture.Records[r.record].Data; len(b) >= proto.EthernetLen {
		d.Client = srcMAC(b).String()
	}
	r.result.Differences = append(r.result.Differences, d)
}

// sentARP counts our requests and lets a host of the capture answer them that
// held the address then.
func (r *run) sentARP(a *proto.ARP) {
	if a.Op != proto.ARPRequest {
		r.differ(Difference{Message: "ARP", Field: "extra", Ours: "reply", Theirs: Absent})
		return
	}
	r.result.Probes++
	// Only who held the address without the captured server's doing: a client
	// that was given it would answer for the captured server's choice, not ours.
	holder, ok := r.Survey.neighbors[a.TargetAddr]
	if !ok {
		return
	}
	r.result.Adapted[AdaptNeighbor]++
	var b [proto.EthernetLen + proto.ARPLen]byte
	proto.PutARP(&b, holder, a.SenderMAC, &proto.ARP{Op: proto.ARPReply, SenderMAC: holder, SenderAddr: a.TargetAddr,
		TargetMAC: a.SenderMAC, TargetAddr: a.SenderAddr})
	r.inject = append(r.inject, b[:])
}

// sentDHCP keeps an answer of ours with what it answers. It copies the frame:
// the buffer is used again, and the message keeps views of it.
func (r *run) sentDHCP(b []byte) {
	b = append([]byte(nil), b...) // the fields keep views of it
	v := look(b)
	m, ok := parseDHCP(v.body(b))
	if !ok {
		r.differ(Difference{Message: "FRAME", Field: "malformed", Ours: "DHCP", Theirs: Absent})
		return
	}
	a := &reply{message: m, fields: append(m.fields, delivery(b, &v, &m)...)}
	r.Survey.answered(a, r.record)
	r.ours = append(r.ours, a)
	r.latest[a.identity] = a
}

// sentTFTP files a packet under the exchange of the endpoint that it goes to.
func (r *run) sentTFTP(p *proto.Packet) {
	t, ok := parseTFTP(p.Payload, len(p.Payload))
	e := r.ports[endpoint{p.Dst, p.DstPort}]
	if !ok || e == nil {
		r.differ(Difference{Message: "TFTP", Field: "extra", Ours: fmt.Sprintf("%s to %s:%d", t.describe(), p.Dst, p.DstPort), Theirs: Absent})
		return
	}
	e.ours.add(&t)
}

// compare makes the list of differences when everything has been fed.
func (r *run) compare() {
	list := compareDHCP(r.ours, r.Survey.replies)
	for _, e := range r.Survey.transfers.list {
		list = append(list, e.compare(r.Contents)...)
		r.result.Blocks += len(e.theirs.blocks)
	}
	if r.Window {
		r.result.Adapted[AdaptWindow]++
	}
	if r.Held > 0 {
		r.result.Adapted[AdaptLeases] += r.Held
	}
	if !r.Contents && len(r.Survey.Files) > 0 {
		r.result.Adapted[AdaptContents] += len(r.Survey.Files)
	}
	list = append(r.result.Differences, list...)
	for i := range list {
		list[i].Capture = r.Capture.Name
	}
	slices.SortStableFunc(list, func(a, b Difference) int { return cmp.Compare(a.Record, b.Record) })
	r.result.Differences = list
}
