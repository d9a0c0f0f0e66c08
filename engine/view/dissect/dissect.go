// Package dissect says in words what a frame is: who sent it to whom, one line of
// what matters, and every field by name. It reads frames of which file contents are
// cut off, as package capture keeps them, and trusts none.
//
//	dissect.go  frames
//	dhcp.go     DHCP messages
//	tftp.go     TFTP packets
package dissect

import (
	"fmt"

	"bootstorm/engine/config"
	"bootstorm/engine/optiontext"
	"bootstorm/proto"
	"bootstorm/proto/tftp"
)

// Packet is a frame in words.
type Packet struct {
	Protocol string  `json:"protocol"` // "DHCP", "TFTP", "ARP", "ICMP", "UDP" or "other"
	What     string  `json:"what"`     // kind of message: "DISCOVER", "RRQ"
	From     string  `json:"from"`     // address and port, of ARP the address
	To       string  `json:"to"`
	Text     string  `json:"text"` // what matters of it, in one line
	Fields   []Field `json:"fields"`
}

// Field is one field of a frame; its text is printable.
type Field struct {
	Code  string `json:"code,omitempty"` // of an option: "66", of a sub-option "175.176"
	Name  string `json:"name"`
	Value string `json:"value"`
}

// add appends a field.
func (p *Packet) add(name, value string) { p.Fields = append(p.Fields, Field{"", name, value}) }

// Words makes packets of frames. It is not changed by use.
type Words struct{ names optiontext.Names }

// New makes Words that know the standard options, those of iPXE, and those that a
// configuration declares (config.Tree.Declarations).
func New(declarations string) *Words {
	return &Words{optiontext.New(config.ParseText("options", []byte(declarations), config.Options{}))}
}

// longest is more than any frame of a network with an MTU of 64 KiB.
const longest = proto.EthernetLen + 1<<16

// Frame puts a frame into words, of which data is kept and length bytes were sent.
func (w *Words) Frame(data []byte, length int) *Packet {
	p := &Packet{Protocol: "other", What: "frame", Fields: []Field{}}
	whole := data
	if missing := min(length, longest) - len(data); missing > 0 { // file contents, which nobody reads
		whole = append(append(make([]byte, 0, len(data)+missing), data...), make([]byte, missing)...)
	}
	var d proto.Packet
	drop := proto.ParseFrame(&d, whole, false)
	if drop == proto.DropShort {
		p.Text = "shorter than an Ethernet header"
		return p
	}
	p.From, p.To = proto.MAC(whole[6:12]).String(), proto.MAC(whole[0:6]).String()
	p.add("Ethernet", p.From+" to "+p.To)
	p.add("length", fmt.Sprintf("%d bytes", length))
	switch {
	case drop != proto.OK:
		p.Text = "nothing that can be read here: " + drop.String()
	case d.Kind == proto.KindARP:
		p.arp(&d.ARP)
	default:
		p.datagram(w, &d)
	}
	return p
}

// arp is an ARP message (RFC 826; probes and announcements: RFC 5227).
func (p *Packet) arp(a *proto.ARP) {
	p.Protocol, p.From, p.To = "ARP", a.SenderAddr.String(), a.TargetAddr.String()
	switch {
	case a.Op == proto.ARPRequest && a.SenderAddr == 0:
		p.What, p.Text = "probe", fmt.Sprintf("%s asks whether anybody has %s", a.SenderMAC, a.TargetAddr)
	case a.Op == proto.ARPRequest && a.SenderAddr == a.TargetAddr:
		p.What, p.Text = "announcement", fmt.Sprintf("%s has %s", a.SenderMAC, a.SenderAddr)
	case a.Op == proto.ARPRequest:
		p.What, p.Text = "request", fmt.Sprintf("who has %s? %s at %s asks", a.TargetAddr, a.SenderAddr, a.SenderMAC)
	default:
		p.What, p.Text = "reply", fmt.Sprintf("%s is at %s", a.SenderAddr, a.SenderMAC)
	}
	p.add("sender", fmt.Sprintf("%s at %s", a.SenderAddr, a.SenderMAC))
	p.add("target", fmt.Sprintf("%s at %s", a.TargetAddr, a.TargetMAC))
}

// datagram is a datagram of UDP, or the refusal of one.
func (p *Packet) datagram(w *Words, d *proto.Packet) {
	from, to := fmt.Sprintf("%s:%d", d.Src, d.SrcPort), fmt.Sprintf("%s:%d", d.Dst, d.DstPort)
	if d.Kind == proto.KindUnreachable {
		// The datagram is ours; who refuses it is its receiver.
		p.Protocol, p.What, p.From, p.To = "ICMP", "port unreachable", d.Dst.String(), d.Src.String()
		p.Text = fmt.Sprintf("nobody listens at %s any more, which %s had sent to", to, from)
		return
	}
	p.Protocol, p.What, p.From, p.To = "UDP", "datagram", from, to
	p.add("IPv4 and UDP", from+" to "+to)
	switch {
	case on(d, proto.PortBOOTPServer, proto.PortBOOTPClient, proto.PortPXE):
		p.dhcp(w, d.Payload)
	case on(d, proto.PortTFTP):
		p.tftp(d.Payload)
	default:
		// A server's transfer port may be any: what has the form of TFTP is shown as such.
		if op, _, ok := tftp.Opcode(d.Payload); ok && op >= tftp.OpRRQ && op <= tftp.OpOack {
			p.tftp(d.Payload)
			return
		}
		p.Text = fmt.Sprintf("%d bytes", len(d.Payload))
	}
}

// on tells whether a datagram comes from or goes to one of the ports.
func on(d *proto.Packet, ports ...uint16) bool {
	for _, port := range ports {
		if d.SrcPort == port || d.DstPort == port {
			return true
		}
	}
	return false
}
