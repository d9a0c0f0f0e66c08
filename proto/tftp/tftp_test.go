package tftp

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// rrq joins fields with NULs behind opcode 1.
func rrq(fields ...string) []byte {
	return []byte("\x00\x01" + strings.Join(fields, "\x00") + "\x00")
}

// options prints what was understood, in order.
func options(r *Request) string {
	var s []string
	for _, o := range r.Options[:r.Count] {
		s = append(s, fmt.Sprintf("%s=%d", o.Name, o.Value))
	}
	return strings.Join(s, " ")
}

// TestOddRequests is the table of the package comment, case by case, and what
// real clients send.
func TestOddRequests(t *testing.T) {
	for _, c := range []struct {
		name    string
		in      []byte
		status  Status
		file    string
		mode    Mode
		options string
	}{
		{"plain", rrq("f", "octet"), OK, "f", ModeOctet, ""},
		{"mode in capitals", rrq("f", "OcTeT"), OK, "f", ModeOctet, ""},
		{"netascii", rrq("f", "NETASCII"), OK, "f", ModeNetascii, ""},
		{"mail", rrq("f", "mail"), UnknownMode, "f", ModeOctet, ""},
		{"binary", rrq("f", "binary"), UnknownMode, "f", ModeOctet, ""},
		{"empty mode", rrq("f", ""), Malformed, "f", ModeOctet, ""},
		{"empty name", rrq("", "octet"), OK, "", ModeOctet, ""},
		{"no NULs", []byte("\x00\x01refind.conf"), Malformed, "refind.conf", ModeOctet, ""},
		{"no mode", rrq("f"), Malformed, "f", ModeOctet, ""},
		{"mode without NUL", []byte("\x00\x01f\x00octet"), Malformed, "f", ModeOctet, ""},
		{"opcode alone", []byte("\x00\x01"), Malformed, "", ModeOctet, ""},
		{"option without final NUL", []byte("\x00\x01f\x00octet\x00blksize\x00512"), Malformed, "f", ModeOctet, ""},
		{"bytes above 127", rrq("r\xc3\xa9.txt", "octet"), OK, "r\xc3\xa9.txt", ModeOctet, ""},
		{"line end in the name", rrq("f\r\n", "octet"), OK, "f\r\n", ModeOctet, ""},
		{"edk2 probe", rrq("f", "octet", "tsize", "0", "blksize", "1468", "windowsize", "4"), OK, "f", ModeOctet, "tsize=0 blksize=1468 windowsize=4"},
		{"iPXE", rrq("f", "octet", "blksize", "1432", "tsize", "0"), OK, "f", ModeOctet, "blksize=1432 tsize=0"},
		{"U-Boot", rrq("f", "octet", "timeout", "5", "tsize", "0", "blksize", "1468"), OK, "f", ModeOctet, "timeout=5 tsize=0 blksize=1468"},
		{"option in capitals", rrq("f", "octet", "BLKSIZE", "1024"), OK, "f", ModeOctet, "BLKSIZE=1024"},
		{"option without value", rrq("f", "octet", "blksize"), OK, "f", ModeOctet, ""},
		{"option without value, behind others", rrq("f", "octet", "tsize", "0", "blksize"), OK, "f", ModeOctet, "tsize=0"},
		{"empty option name", rrq("f", "octet", "", "5", "tsize", "0"), OK, "f", ModeOctet, "tsize=0"},
		{"given twice", rrq("f", "octet", "blksize", "1024", "blksize", "512"), OK, "f", ModeOctet, "blksize=1024"},
		{"given twice, once usable", rrq("f", "octet", "blksize", "x", "Blksize", "512"), OK, "f", ModeOctet, "Blksize=512"},
		{"unknown options", rrq("f", "octet", "utimeout", "9", "rollover", "1", "blksize2", "9", "multicast", "", "nonsense", "1"), OK, "f", ModeOctet, ""},
		{"1400 bytes of options", rrq("f", "octet", strings.Repeat("x\x00y\x00", 350)+"tsize", "0"), OK, "f", ModeOctet, "tsize=0"},
		{"blksize 7", rrq("f", "octet", "blksize", "7"), OK, "f", ModeOctet, ""},
		{"blksize 8", rrq("f", "octet", "blksize", "8"), OK, "f", ModeOctet, "blksize=8"},
		{"blksize 65464", rrq("f", "octet", "blksize", "65464"), OK, "f", ModeOctet, "blksize=65464"},
		{"blksize 65465", rrq("f", "octet", "blksize", "65465"), OK, "f", ModeOctet, "blksize=65464"},
		{"blksize of 30 digits", rrq("f", "octet", "blksize", strings.Repeat("9", 30)), OK, "f", ModeOctet, "blksize=65464"},
		{"blksize empty", rrq("f", "octet", "blksize", ""), OK, "f", ModeOctet, ""},
		{"blksize negative", rrq("f", "octet", "blksize", "-1"), OK, "f", ModeOctet, ""},
		{"blksize signed", rrq("f", "octet", "blksize", "+512"), OK, "f", ModeOctet, ""},
		{"blksize with a space", rrq("f", "octet", "blksize", " 1024"), OK, "f", ModeOctet, ""},
		{"blksize with letters", rrq("f", "octet", "blksize", "1468x"), OK, "f", ModeOctet, ""},
		{"blksize with zeros", rrq("f", "octet", "blksize", "0001024"), OK, "f", ModeOctet, "blksize=1024"},
		{"tsize 5", rrq("f", "octet", "tsize", "5"), OK, "f", ModeOctet, "tsize=5"},
		{"tsize x", rrq("f", "octet", "tsize", "x"), OK, "f", ModeOctet, ""},
		{"tsize of 64 bits", rrq("f", "octet", "tsize", "18446744073709551615"), OK, "f", ModeOctet, "tsize=18446744073709551615"},
		{"tsize beyond", rrq("f", "octet", "tsize", "18446744073709551616"), OK, "f", ModeOctet, "tsize=18446744073709551615"},
		{"timeout 0", rrq("f", "octet", "timeout", "0"), OK, "f", ModeOctet, ""},
		{"timeout 1", rrq("f", "octet", "timeout", "1"), OK, "f", ModeOctet, "timeout=1"},
		{"timeout 255", rrq("f", "octet", "timeout", "255"), OK, "f", ModeOctet, "timeout=255"},
		{"timeout 256", rrq("f", "octet", "timeout", "256"), OK, "f", ModeOctet, ""},
		{"windowsize 0", rrq("f", "octet", "windowsize", "0"), OK, "f", ModeOctet, ""},
		{"windowsize 65535", rrq("f", "octet", "windowsize", "65535"), OK, "f", ModeOctet, "windowsize=65535"},
		{"windowsize 65536", rrq("f", "octet", "windowsize", "65536"), OK, "f", ModeOctet, "windowsize=65535"},
		{"WRQ", []byte("\x00\x02f\x00octet\x00"), OK, "f", ModeOctet, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Request{Count: 4} // what is left of the last one must not show
			if !IsRequest(c.in) {
				t.Fatal("not taken for a request")
			}
			status := ParseRequest(&r, c.in)
			if status != c.status || string(r.Name) != c.file || r.Mode != c.mode || options(&r) != c.options || r.Op != uint16(c.in[1]) {
				t.Errorf("status %d, op %d, name %q, mode %d, options %q", status, r.Op, r.Name, r.Mode, options(&r))
			}
		})
	}
}

func TestHas(t *testing.T) {
	var r Request
	ParseRequest(&r, rrq("f", "octet", "tsize", "0", "WindowSize", "4"))
	if v, ok := r.Has(Windowsize); v != 4 || !ok {
		t.Errorf("windowsize %d %v", v, ok)
	}
	if _, ok := r.Has(Blksize); ok {
		t.Error("blksize was not requested")
	}
}

func TestOpcode(t *testing.T) {
	for _, c := range []struct {
		in        string
		op, field uint16
		ok        bool
	}{
		{"", 0, 0, false}, {"00", 0, 0, false}, {"000400", 0, 0, false}, {"0004ffff", OpAck, 65535, true},
		{"00030001aa", OpData, 1, true}, {"000500084100", OpError, 8, true}, {"ff040001", 0xff04, 1, true},
	} {
		b, _ := hex.DecodeString(c.in)
		if op, field, ok := Opcode(b); op != c.op || field != c.field || ok != c.ok {
			t.Errorf("%s: %d %d %v", c.in, op, field, ok)
		}
	}
	for in, want := range map[string]bool{"": false, "00": false, "0001": true, "0002": true, "0003": false, "0101": false} {
		if b, _ := hex.DecodeString(in); IsRequest(b) != want {
			t.Errorf("IsRequest(%s) is not %v", in, want)
		}
	}
}

func TestErrorText(t *testing.T) {
	for in, want := range map[string]string{"\x00\x05\x00\x08": "", "\x00\x05": "", "\x00\x05\x00\x08aborted\x00": "aborted",
		"\x00\x05\x00\x08no NUL": "no NUL", "\x00\x05\x00\x00a\x00b\x00": "a"} {
		if got := ErrorText([]byte(in)); string(got) != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestWriting(t *testing.T) {
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"ACK", AppendHeader(nil, OpAck, 258), "\x00\x04\x01\x02"},
		{"ERROR", AppendError(nil, ErrNotFound, "File not found"), "\x00\x05\x00\x01File not found\x00"},
		{"OACK", AppendOption(AppendOption(AppendOpcode(nil, OpOack), []byte("TSize"), 850528), []byte("blksize"), 8), "\x00\x06TSize\x00850528\x00blksize\x008\x00"},
		{"RRQ", AppendOption(AppendRequest(nil, OpRRQ, "f", "octet"), []byte("tsize"), 0), "\x00\x01f\x00octet\x00tsize\x000\x00"},
		{"largest number", AppendDecimal(nil, 1<<64-1), "18446744073709551615"},
		{"zero", AppendDecimal(nil, 0), "0"},
	} {
		if string(c.got) != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
	var h [HeaderLen]byte
	if PutHeader(&h, OpData, 0xabcd); h != [4]byte{0, 3, 0xab, 0xcd} {
		t.Errorf("PutHeader: %x", h)
	}
}

func TestParseOack(t *testing.T) {
	var r Request
	if !ParseOack(&r, []byte("\x00\x06tsize\x00850528\x00blksize\x001468\x00windowsize\x004\x00")) || options(&r) != "tsize=850528 blksize=1468 windowsize=4" {
		t.Errorf("options %q", options(&r))
	}
	if !ParseOack(&r, []byte("\x00\x06")) || r.Count != 0 {
		t.Error("an empty OACK is one")
	}
	for _, bad := range []string{"", "\x00", "\x00\x05\x00\x00", "\x00\x06tsize\x005", "\x01\x06"} {
		if ParseOack(&r, []byte(bad)) {
			t.Errorf("%q was accepted", bad)
		}
	}
}

// TestHeads checks every header and every run across the wrap.
func TestHeads(t *testing.T) {
	for block := range 1 << 16 {
		h := Heads(uint16(block), 1)
		if len(h) != 4 || h[0] != 0 || h[1] != OpData || int(h[2])<<8|int(h[3]) != block {
			t.Fatalf("block %d: %x", block, h)
		}
	}
	for _, first := range []int{65535, 65500, 65472, 0, 1} {
		run := Heads(uint16(first), MaxRun)
		for i := range MaxRun {
			if op, field, _ := Opcode(run[4*i:]); op != OpData || field != uint16(first+i) {
				t.Fatalf("run from %d: frame %d has block %d", first, i, field)
			}
		}
		if cap(run) != 4*MaxRun {
			t.Fatal("a run can be appended to")
		}
	}
}

func TestNoAllocation(t *testing.T) {
	in := rrq("/boot/refind_x64.efi", "octet", "tsize", "0", "blksize", "1468", "windowsize", "4", "nonsense", "1")
	bad := []byte("\x00\x01f\x00octet")
	var r Request
	var buf [128]byte
	if n := testing.AllocsPerRun(1, func() {
		for i := range 5000 {
			ParseRequest(&r, in)
			ParseRequest(&r, bad)
			b := AppendOption(AppendOpcode(buf[:0], OpOack), []byte("tsize"), uint64(i))
			ParseOack(&r, b)
			AppendError(buf[:0], ErrNotFound, "File not found")
			Opcode(Heads(uint16(i), MaxRun))
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzParseRequest: whatever comes, what was understood lies within its limits,
// points into the datagram, and means the same when it is written again.
func FuzzParseRequest(f *testing.F) {
	f.Add(rrq("f", "octet", "tsize", "0", "blksize", "1468", "windowsize", "4"))
	f.Add(rrq("f", "netascii", "timeout", "255"))
	f.Add([]byte("\x00\x01f\x00octet"))
	f.Add([]byte("\x00\x02\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if !IsRequest(b) {
			return
		}
		var r, again Request
		if ParseRequest(&r, b) != OK {
			return
		}
		out := AppendRequest(nil, r.Op, string(r.Name), [...]string{"octet", "netascii"}[r.Mode])
		for _, o := range r.Options[:r.Count] {
			l := limits[o.Kind]
			if o.Value < l.low || o.Value > l.high || !bytes.EqualFold(o.Name, []byte(l.name)) {
				t.Fatalf("%q=%d", o.Name, o.Value)
			}
			out = AppendOption(out, o.Name, o.Value)
		}
		if ParseRequest(&again, out) != OK || !bytes.Equal(r.Name, again.Name) || options(&r) != options(&again) || r.Mode != again.Mode {
			t.Fatalf("%q became %q", b, out)
		}
	})
}

func BenchmarkParseRequest(b *testing.B) {
	in := rrq("/refind_x64.efi", "octet", "tsize", "0", "blksize", "1468", "windowsize", "4")
	var r Request
	for b.Loop() {
		ParseRequest(&r, in)
	}
}
