package config

import (
	"fmt"
	"net/netip"
	"strings"

	"bootstorm/proto"
)

// address consumes a dotted IPv4 address.
func (p *parser) address(what string) (proto.Addr, bool) {
	var a proto.Addr
	for i := range 4 {
		if i > 0 && !p.accept(".") {
			return 0, p.fail(&p.tok, fmt.Sprintf("expected %s of four numbers, found %s after %d of them",
				what, p.tok.describe(), i), "write the address as 192.168.1.1")
		}
		t := p.tok
		if t.kind != tokenNumber {
			return 0, p.fail(&t, fmt.Sprintf("expected %s, found %s", what, t.describe()),
				"write the address as 192.168.1.1")
		}
		p.advance()
		v, ok := p.number(&t, 10, 8)
		if !ok {
			return 0, false
		}
		a = a<<8 | proto.Addr(v)
	}
	return a, true
}

// atAddress tells whether an IPv4 address comes next, not a host name that
// begins with a number (3.pool.ntp.org).
func (p *parser) atAddress() bool {
	if p.tok.kind != tokenNumber {
		return false
	}
	ahead := p.lex
	if dot := ahead.next(); !dot.is(".") {
		return false
	}
	t := ahead.next()
	return t.kind == tokenNumber
}

// addressOrName consumes an address or a host name, which is looked up. Names
// that cannot be found are a warning and no addresses: a server must be able to
// start before DNS does.
func (p *parser) addressOrName() ([]proto.Addr, bool) {
	if p.atAddress() {
		a, ok := p.address("an IP address")
		return []proto.Addr{a}, ok
	}
	start := p.tok
	name, ok := p.hostName("an IP address or a host name", "write the address as 192.168.1.1, or a host name")
	if !ok {
		return nil, false
	}
	found := p.names.addresses(name)
	if len(found) == 0 {
		start.end = p.last.end
		p.repeated("lookup", &start, func() (string, string) {
			return fmt.Sprintf("the host name %s has no address that can be found now; it is left out", name),
				"write the address itself, or make the name known in /etc/hosts and reload"
		})
	}
	return found, true
}

// hostName consumes a name with dots, such as node-1.example.com; each part may
// begin with a digit or be a number.
func (p *parser) hostName(what, remedy string) (string, bool) {
	if !p.tok.identifier() && p.tok.kind != tokenNumber {
		if p.tok.kind == tokenString {
			remedy = "write it without quotes"
		}
		return "", p.fail(&p.tok, fmt.Sprintf("expected %s, found %s", what, p.tok.describe()), remedy)
	}
	var b strings.Builder
	for p.tok.identifier() || p.tok.kind == tokenNumber {
		b.WriteString(p.advance().text)
		if !p.accept(".") {
			break
		}
		b.WriteByte('.')
	}
	return b.String(), true
}

// address6 consumes an IPv6 address, which is no token of its own: it is read
// from the text up to the first byte that cannot belong to it.
func (p *parser) address6() ([]byte, bool) {
	t := p.tok
	end := t.off
	for end < len(p.lex.src) && (isHex(p.lex.src[end]) || p.lex.src[end] == ':' || p.lex.src[end] == '.') {
		end++
	}
	a, err := netip.ParseAddr(p.lex.src[t.off:end])
	if err != nil || !a.Is6() || t.line != p.lex.line {
		return nil, p.fail(&t, fmt.Sprintf("expected an IPv6 address, found %s", t.describe()),
			"write the address as 2001:db8::1")
	}
	p.lex.off = end
	t.kind, t.text, t.word, t.end = tokenName, p.lex.src[t.off:end], "", end
	p.tok = t
	p.advance()
	return a.AsSlice(), true
}

// prefixBits counts the leading ones of a netmask; ok is false if a one follows
// a zero.
func prefixBits(mask proto.Addr) (bits int, ok bool) {
	for bits < 32 && mask&(1<<(31-bits)) != 0 {
		bits++
	}
	return bits, bits == 0 && mask == 0 || mask == ^proto.Addr(0)<<(32-bits)
}
