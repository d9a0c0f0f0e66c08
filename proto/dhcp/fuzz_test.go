package dhcp

import (
	"bytes"
	"testing"
)

// FuzzOptions feeds arbitrary messages: no panic, every value inside the
// message or the index, values as an independent reader finds them, and what
// was read can be written and read again.
func FuzzOptions(f *testing.F) {
	for _, c := range optionCases {
		if len(c.msg) <= 1500 {
			f.Add(c.msg)
		}
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		var o Options
		if !o.Parse(msg) {
			if o.present != [4]uint64{} {
				t.Fatal("a refused message leaves options behind")
			}
			return
		}
		want := plainOptions(msg)
		for code := range 256 {
			v, ok := o.Get(byte(code))
			w, has := want[byte(code)]
			if ok != has || !bytes.Equal(v, w) || cap(v) != len(v) {
				t.Fatalf("option %d: % x (%v), want % x (%v)", code, v, ok, w, has)
			}
		}
		checkRewrite(t, want)
	})
}

// plainOptions is RFC 2131 section 4.1 and RFC 3396 written for clarity: the
// fields in their order are searched as one, and equal codes are joined.
func plainOptions(msg []byte) map[byte][]byte {
	found := map[byte][]byte{}
	collect(found, msg[OptionsOff:])
	if v := found[OptOverload]; len(v) == 1 {
		if v[0]&1 != 0 {
			collect(found, msg[108:236])
		}
		if v[0]&2 != 0 {
			collect(found, msg[44:108])
		}
	}
	return found
}

func collect(found map[byte][]byte, b []byte) {
	for len(b) > 0 && b[0] != OptEnd {
		if b[0] == OptPad {
			b = b[1:]
			continue
		}
		n := int(b[1])
		found[b[0]] = append(append([]byte{}, found[b[0]]...), b[2:2+n]...)
		b = b[2+n:]
	}
}

func checkRewrite(t *testing.T, want map[byte][]byte) {
	var w Writer
	buf := make([]byte, 8192)
	w.Reset(buf)
	for code := range 256 {
		if v, ok := want[byte(code)]; ok && code != OptOverload && !w.Option(byte(code), v) {
			t.Fatalf("option %d of %d bytes does not fit", code, len(v))
		}
	}
	var again Options
	if !again.Parse(buf[:w.End()]) {
		t.Fatal("our own message is refused")
	}
	for code, v := range want {
		if got, _ := again.Get(code); code != OptOverload && !bytes.Equal(got, v) {
			t.Fatalf("option %d written and read: % x, want % x", code, got, v)
		}
	}
}
