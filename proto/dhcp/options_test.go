package dhcp

import (
	"bytes"
	"testing"
)

var optionCases = []struct {
	name string
	msg  []byte
	ok   bool
	want map[byte][]byte
}{
	{"plain", message(53, 1, 1, 255), true, map[byte][]byte{53: {1}}},
	{"no options", message(255), true, nil},
	{"nothing behind the cookie", message(), true, nil},
	{"END missing", message(53, 1, 1), true, map[byte][]byte{53: {1}}},
	{"pads between and around", message(0, 0, 53, 1, 1, 0, 60, 1, 'x', 0, 255, 0), true, map[byte][]byte{53: {1}, 60: {'x'}}},
	{"nothing counts behind END", message(53, 1, 1, 255, 60, 200), true, map[byte][]byte{53: {1}}},
	{"empty value", message(12, 0, 53, 1, 1, 255), true, map[byte][]byte{12: {}, 53: {1}}},
	{"longest value", message(append(long(43, 255, 7), 255)...), true, map[byte][]byte{43: bytes.Repeat([]byte{7}, 255)}},
	{"code 254 and code 1", message(254, 1, 9, 1, 4, 255, 255, 255, 0, 255), true, map[byte][]byte{254: {9}, 1: {255, 255, 255, 0}}},

	{"short of the cookie", message()[:OptionsOff-1], false, nil},
	{"BOOTP header alone", message()[:HeaderLen], false, nil},
	{"empty datagram", nil, false, nil},
	{"wrong cookie", at(message(53, 1, 1, 255), CookieOff, 0), false, nil},
	{"code without length", message(53, 1, 1, 12), false, nil},
	{"length without value", message(53, 1, 1, 12, 1), false, nil},
	{"value runs past the end", message(53, 1, 1, 12, 9, 'a', 'b'), false, nil},
	{"length 255 at the end", message(53, 255), false, nil},
	{"larger than any datagram served", make([]byte, 40000), false, nil},

	{"split in two (RFC 3396)", message(67, 2, 'a', 'b', 53, 1, 1, 67, 1, 'c', 255), true, map[byte][]byte{67: []byte("abc"), 53: {1}}},
	{"split in three", message(67, 1, 'a', 67, 1, 'b', 67, 1, 'c', 255), true, map[byte][]byte{67: []byte("abc")}},
	{"two split options in turn", message(66, 1, 'a', 67, 1, 'A', 66, 1, 'b', 67, 1, 'B', 66, 1, 'c', 255), true,
		map[byte][]byte{66: []byte("abc"), 67: []byte("AB")}},
	{"an empty part joins", message(67, 0, 67, 2, 'o', 'k', 67, 0, 255), true, map[byte][]byte{67: []byte("ok")}},
	{"joined to 2 KiB", message(join(long(43, 255, 1), long(43, 255, 1), long(43, 255, 1), long(43, 255, 1), long(43, 255, 1),
		long(43, 255, 1), long(43, 255, 1), long(43, 255, 1), long(43, 8, 1))...), true, map[byte][]byte{43: bytes.Repeat([]byte{1}, 2048)}},
	{"joined to more", message(join(long(43, 255, 1), long(43, 255, 1), long(43, 255, 1), long(43, 255, 1), long(43, 255, 1),
		long(43, 255, 1), long(43, 255, 1), long(43, 255, 1), long(43, 9, 1))...), false, nil},

	{"overload: file", at(message(52, 1, 1, 53, 1, 1, 255), 108, 67, 2, 'o', 'k', 255), true, map[byte][]byte{67: []byte("ok"), 53: {1}}},
	{"overload: sname", at(message(52, 1, 2, 255), 44, 66, 2, 'o', 'k', 255), true, map[byte][]byte{66: []byte("ok")}},
	{"overload: both, file before sname", at(at(message(52, 1, 3, 67, 1, 'a', 255), 44, 67, 1, 'c', 255), 108, 67, 1, 'b', 255), true,
		map[byte][]byte{67: []byte("abc")}},
	{"overload: fields without END", at(message(52, 1, 1, 255), 108, long(43, 126, 5)...), true, map[byte][]byte{43: bytes.Repeat([]byte{5}, 126)}},
	{"overload: value leaves the field", at(message(52, 1, 2, 255), 44, 43, 63), false, nil},
	{"overload: not announced", at(message(53, 1, 1, 255), 108, 67, 2, 'n', 'o', 255), true, map[byte][]byte{53: {1}}},
	{"overload: 0 announces nothing", at(message(52, 1, 0, 255), 108, 67, 200), true, map[byte][]byte{52: {0}}},
	{"overload: of two bytes is ignored", at(message(52, 2, 1, 1, 255), 108, 67, 200), true, map[byte][]byte{52: {1, 1}}},
	{"overload: inside file does not reach sname", at(at(message(52, 1, 1, 255), 108, 52, 1, 3, 255), 44, 66, 200), true,
		map[byte][]byte{52: {1, 3}}},
}

func TestOptions(t *testing.T) {
	var o Options // one index for all, as in the core: nothing may be left over
	for _, c := range optionCases {
		t.Run(c.name, func(t *testing.T) {
			if ok := o.Parse(c.msg); ok != c.ok {
				t.Fatalf("Parse says %v, want %v", ok, c.ok)
			}
			for code, want := range c.want {
				if got := mustGet(t, &o, code); !bytes.Equal(got, want) || cap(got) != len(got) {
					t.Errorf("option %d is % x (capacity %d), want % x", code, got, cap(got), want)
				}
			}
			for code := range 256 {
				_, want := c.want[byte(code)]
				if code == OptOverload && c.ok {
					continue // present in the cases that use it, not the point
				}
				if v, ok := o.Get(byte(code)); ok != want || o.Has(byte(code)) != want || !want && v != nil {
					t.Errorf("option %d: present %v, want %v", code, ok, want)
				}
			}
		})
	}
}

// The typed getters insist on the exact length.
func TestOptionsOfFixedLength(t *testing.T) {
	var o Options
	if !o.Parse(message(1, 1, 7, 2, 2, 1, 2, 4, 4, 1, 2, 3, 4, 10, 0, 12, 3, 1, 2, 3, 255)) {
		t.Fatal("refused")
	}
	for code, length := range map[byte]int{1: 1, 2: 2, 4: 4, 10: 0, 12: 3, 99: -1} {
		if v, ok := o.Byte(code); ok != (length == 1) || ok && v != 7 {
			t.Errorf("Byte of option %d: %d, %v", code, v, ok)
		}
		if v, ok := o.Uint16(code); ok != (length == 2) || ok && v != 0x0102 {
			t.Errorf("Uint16 of option %d: %d, %v", code, v, ok)
		}
		if v, ok := o.Uint32(code); ok != (length == 4) || ok && v != 0x01020304 {
			t.Errorf("Uint32 of option %d: %d, %v", code, v, ok)
		}
	}
}

func TestMessageType(t *testing.T) {
	for _, c := range []struct {
		name string
		msg  []byte
		want Type
		ok   bool
	}{
		{"discover", message(53, 1, 1, 255), Discover, true},
		{"unknown number is for the caller", message(53, 1, 77, 255), 77, true},
		{"absent", message(255), BOOTP, false},
		{"empty", message(53, 0, 255), BOOTP, false},
		{"two bytes", message(53, 2, 1, 1, 255), BOOTP, false},
		{"given twice", message(53, 1, 1, 53, 1, 3, 255), BOOTP, false},
	} {
		var o Options
		o.Parse(c.msg)
		if got, ok := o.MessageType(); got != c.want || ok != c.ok {
			t.Errorf("%s: %s, %v", c.name, got, ok)
		}
	}
}

// A view ends where its value ends: appending to it cannot touch the frame.
func TestOptionsCapViews(t *testing.T) {
	msg := message(12, 2, 'h', 'i', 53, 1, 1, 255)
	var o Options
	o.Parse(msg)
	_ = append(mustGet(t, &o, 12), 0xee)
	if typ, _ := o.MessageType(); typ != Discover {
		t.Errorf("appending to a value changed the next option: %s", typ)
	}
}
