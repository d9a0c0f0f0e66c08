package pcap

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// TFTP opcodes (RFC 1350 section 5, RFC 2347).
const (
	tftpRead  = 1
	tftpWrite = 2
	tftpData  = 3
	tftpAck   = 4
	tftpError = 5
	tftpOack  = 6
)

// Field is one named value of a message, in a form for people.
type Field struct{ Name, Value string }

// tftpPacket is a TFTP packet as far as it was captured. It is decoded here
// once more, independently of the engine's own decoder: what is compared should
// not be read by what is being tested.
type tftpPacket struct {
	op      uint16
	name    string // RRQ, WRQ
	mode    string
	options []Field // RRQ, WRQ, OACK; names as sent
	block   uint16  // DATA, ACK
	code    uint16  // ERROR
	text    string
	length  int    // DATA: bytes of the block on the wire
	data    []byte // DATA: those that were captured
}

// parseTFTP decodes a payload of which length bytes were on the wire; ok is
// false if it is too short to be a TFTP packet.
func parseTFTP(b []byte, length int) (p tftpPacket, ok bool) {
	if len(b) < 2 {
		return p, false
	}
	p.op = binary.BigEndian.Uint16(b)
	switch p.op {
	case tftpRead, tftpWrite:
		words := cStrings(b[2:])
		if len(words) > 0 {
			p.name = words[0]
		}
		if len(words) > 1 {
			p.mode = words[1]
			p.options = pairs(words[2:])
		}
		return p, true
	case tftpOack:
		p.options = pairs(cStrings(b[2:]))
		return p, true
	}
	if len(b) < 4 {
		return p, false
	}
	p.block = binary.BigEndian.Uint16(b[2:])
	p.code = p.block
	switch p.op {
	case tftpError:
		p.text = string(bytes.TrimRight(b[4:], "\x00"))
	case tftpData:
		p.length, p.data = length-4, b[4:]
	}
	return p, true
}

// cStrings splits zero-terminated strings; a last one without its zero counts.
func cStrings(b []byte) []string {
	s := strings.Split(string(b), "\x00")
	if len(s) > 0 && s[len(s)-1] == "" {
		s = s[:len(s)-1]
	}
	return s
}

// pairs joins names and values; a name at the end without a value is left out.
func pairs(words []string) (f []Field) {
	for i := 0; i+1 < len(words); i += 2 {
		f = append(f, Field{words[i], words[i+1]})
	}
	return f
}

// option returns the first option of that name, in any case of letters.
func (p *tftpPacket) option(name string) (value string, ok bool) {
	for _, f := range p.options {
		if strings.EqualFold(f.Name, name) {
			return f.Value, true
		}
	}
	return "", false
}

// describe renders a packet as a client sent it, for the reader of a report.
func (p *tftpPacket) describe() string {
	switch p.op {
	case tftpRead, tftpWrite:
		verb := "RRQ"
		if p.op == tftpWrite {
			verb = "WRQ"
		}
		s := verb + " " + shorten(p.name) + " " + shorten(p.mode)
		for _, o := range p.options {
			s += " " + clean(o.Name) + "=" + clean(o.Value)
		}
		if len(s) > 160 {
			s = s[:160] + "…"
		}
		return s
	case tftpData:
		return "DATA " + strconv.Itoa(int(p.block))
	case tftpAck:
		return "ACK " + strconv.Itoa(int(p.block))
	case tftpError:
		return fmt.Sprintf("ERROR %d %q", p.code, p.text)
	}
	return "opcode " + strconv.Itoa(int(p.op))
}

// shorten quotes a name and keeps a long one readable.
func shorten(s string) string {
	if len(s) > 40 {
		s = s[:20] + "…"
	}
	return clean(s)
}

// clean escapes what is not printable; the bar separates the columns of a list
// of differences.
func clean(s string) string {
	q := strconv.Quote(s)
	q = strings.ReplaceAll(q, "|", `\x7c`)
	if plain := q[1 : len(q)-1]; plain == s && s != "" && !strings.Contains(s, " ") {
		return s
	}
	return q
}
