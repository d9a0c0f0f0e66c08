package config

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// number reads the value of a numeric token for a field of so many bits: base
// 10, or 16 after 0x, or 8 after 0. dhcpd takes anything from -2^(bits-1) to
// 2^bits-1 for signed and unsigned fields alike. Beyond 32 bits it drops the
// upper bits without a word; here that is an error.
func (p *parser) number(t *token, base, bits int) (uint32, bool) {
	// That -1 stands for the largest unsigned value is used in real files.
	digits, negative := t.text, false
	if digits[0] == '-' {
		digits, negative = digits[1:], true
	}
	if base == 0 {
		base, digits = guessBase(digits)
	}
	v, err := strconv.ParseUint(digits, base, 64)
	if err != nil && !isRangeError(err) {
		return 0, p.fail(t, fmt.Sprintf("%s is not a number in base %d", quoteShort(t.text), base),
			numberRemedy(base))
	}
	limit := uint64(1)<<bits - 1
	if negative {
		limit = uint64(1) << (bits - 1)
	}
	if err != nil || v > limit {
		return 0, p.fail(t, fmt.Sprintf("%s does not fit into %d bits", quoteShort(t.text), bits),
			fmt.Sprintf("the largest value here is %d", uint64(1)<<bits-1))
	}
	if negative {
		return uint32(-int64(v)) & uint32(uint64(1)<<bits-1), true
	}
	return uint32(v), true
}

// guessBase reads the base that the spelling of a number tells.
func guessBase(digits string) (base int, rest string) {
	switch {
	case len(digits) > 1 && digits[0] == '0' && digits[1] == 'x':
		return 16, digits[2:]
	case len(digits) > 1 && digits[0] == '0' && isDigit(digits[1]):
		return 8, digits[1:]
	}
	return 10, digits
}

func isRangeError(err error) bool {
	n, ok := err.(*strconv.NumError)
	return ok && n.Err == strconv.ErrRange
}

func numberRemedy(base int) string {
	switch base {
	case 8:
		return "a number that begins with 0 is octal: leave the 0 out"
	case 16:
		return "write octets as hexadecimal digits, 00 to ff"
	}
	return "write a decimal number, or a hexadecimal one as 0x1f"
}

// appendInt encodes v big endian in bits.
func appendInt(b []byte, v uint32, bits int) []byte {
	switch bits {
	case 8:
		return append(b, byte(v))
	case 16:
		return binary.BigEndian.AppendUint16(b, uint16(v))
	}
	return binary.BigEndian.AppendUint32(b, v)
}

// decimal consumes a plain decimal number up to limit.
func (p *parser) decimal(what string, limit int64) (int64, bool) {
	t := p.tok
	if t.kind != tokenNumber {
		return 0, p.fail(&t, fmt.Sprintf("expected %s, found %s", what, t.describe()), "write a decimal number")
	}
	p.advance()
	v, err := strconv.ParseInt(t.text, 10, 64)
	if err != nil || v < 0 || v > limit {
		return 0, p.fail(&t, fmt.Sprintf("%s is no %s", quoteShort(t.text), what),
			fmt.Sprintf("write a decimal number from 0 to %d", limit))
	}
	return v, true
}

// octets consumes hexadecimal octets separated by colons: 00:07, 1:2:3.
func (p *parser) octets() ([]byte, bool) {
	var b []byte
	for {
		t := p.tok
		if !t.numeric() {
			remedy := "write octets as hexadecimal digits with colons between them: 00:1a:ff"
			if strings.Count(t.text, "-") > 1 {
				remedy = "write colons instead of the dashes: " + strings.ReplaceAll(t.text, "-", ":")
			}
			return nil, p.fail(&t, fmt.Sprintf("expected a hexadecimal octet, found %s", t.describe()), remedy)
		}
		p.advance()
		v, ok := p.number(&t, 16, 8)
		if !ok {
			return nil, false
		}
		b = append(b, byte(v))
		if !p.accept(":") {
			return b, true
		}
	}
}
