package dissect

import (
	"bytes"
	"fmt"
	"strings"

	"bootstorm/engine/optiontext"
	"bootstorm/proto/tftp"
)

// opcodes are the names of RFC 1350 section 5 and RFC 2347.
var opcodes = map[uint16]string{tftp.OpRRQ: "RRQ", tftp.OpWRQ: "WRQ", tftp.OpData: "DATA", tftp.OpAck: "ACK", tftp.OpError: "ERROR", tftp.OpOack: "OACK"}

// tftp is a TFTP packet.
func (p *Packet) tftp(b []byte) {
	p.Protocol, p.What = "TFTP", "malformed"
	op, field, ok := tftp.Opcode(b)
	name := opcodes[op]
	if !ok || name == "" {
		p.Text = fmt.Sprintf("%d bytes, no packet of TFTP", len(b))
		return
	}
	p.What = name
	switch op {
	case tftp.OpRRQ, tftp.OpWRQ:
		p.request(b[2:])
	case tftp.OpOack:
		p.Text = "grants " + p.options(b[2:])
	case tftp.OpData:
		p.Text = fmt.Sprintf("block %d, %d bytes", field, len(b)-tftp.HeaderLen)
		p.add("block", fmt.Sprint(field))
		p.add("data", fmt.Sprintf("%d bytes, which are not kept", len(b)-tftp.HeaderLen))
	case tftp.OpAck:
		p.Text = fmt.Sprintf("block %d", field)
		p.add("block", fmt.Sprint(field))
	case tftp.OpError:
		message := optiontext.Quote(tftp.ErrorText(b))
		p.Text = fmt.Sprintf("code %d, %s", field, message)
		p.add("code", fmt.Sprint(field))
		p.add("message", message)
	}
}

// request is what follows the opcode of an RRQ or WRQ: name, mode, options.
func (p *Packet) request(b []byte) {
	name, rest, _ := bytes.Cut(b, []byte{0})
	mode, rest, _ := bytes.Cut(rest, []byte{0})
	p.add("file", optiontext.Quote(name))
	p.add("mode", optiontext.Printable(mode))
	p.Text = optiontext.Quote(name)
	if wishes := p.options(rest); wishes != "" {
		p.Text += " with " + wishes
	}
}

// options are pairs of texts, each ended by a zero; also those that the server does
// not know (RFC 2347).
func (p *Packet) options(b []byte) string {
	var all []string
	for len(b) > 0 {
		var name, value []byte
		name, b, _ = bytes.Cut(b, []byte{0})
		value, b, _ = bytes.Cut(b, []byte{0})
		all = append(all, optiontext.Printable(name)+" "+optiontext.Printable(value))
		p.add(optiontext.Printable(name), optiontext.Printable(value))
	}
	return strings.Join(all, ", ")
}
