package dhcp

import (
	"bytes"
	"testing"

	"bootstorm/proto"
)

var clientMAC = proto.MAC{0x52, 0x54, 0, 0x12, 0x34, 1}

// message builds a request with raw option bytes behind the cookie.
func message(options ...byte) []byte {
	b := make([]byte, OptionsOff, OptionsOff+len(options))
	b[0], b[1], b[2] = BootRequest, 1, 6
	copy(b[28:], clientMAC[:])
	copy(b[CookieOff:], []byte{99, 130, 83, 99})
	return append(b, options...)
}

// long is one option of n bytes of value v.
func long(code byte, n int, v byte) []byte {
	return append([]byte{code, byte(n)}, bytes.Repeat([]byte{v}, n)...)
}

// join appends all parts.
func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// at writes v into b at off.
func at(b []byte, off int, v ...byte) []byte {
	copy(b[off:], v)
	return b
}

func mustGet(t *testing.T, o *Options, code byte) []byte {
	t.Helper()
	v, ok := o.Get(code)
	if !ok {
		t.Fatalf("option %d is missing", code)
	}
	return v
}
