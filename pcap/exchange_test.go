package pcap

import (
	"fmt"
	"testing"
)

func data(n uint16, length int) *tftpPacket {
	return &tftpPacket{op: tftpData, block: n, length: length}
}

func TestUnwrap(t *testing.T) {
	for _, k := range []struct {
		name   string
		last   int
		number uint16
		want   int
		fresh  bool
	}{
		{"the first", 0, 1, 1, true},
		{"the next", 10, 11, 11, true},
		{"the same", 10, 10, 10, false},
		{"an old one", 10, 3, 3, false},
		{"over 65535", 65535, 0, 65536, true},
		{"behind it", 65536, 1, 65537, true},
		{"an old one over 65535", 65537, 65535, 65535, false},
		{"across an excerpt's gap", 40, 65518, 65518, true},
		{"across a gap and over 65535", 65545, 12572, 78108, true},
	} {
		s := side{last: k.last}
		if got, fresh := s.unwrap(k.number); got != k.want || fresh != k.fresh {
			t.Errorf("%s: index %d fresh %v, want %d %v", k.name, got, fresh, k.want, k.fresh)
		}
	}
}

func TestSideData(t *testing.T) {
	var s side
	for n := uint16(1); n <= 3; n++ {
		s.add(data(n, 512))
	}
	s.add(data(2, 512))
	s.add(data(4, 100))
	if sum, complete := s.bytes(512); sum != 1636 || !complete || s.repeats != 1 || s.last != 4 {
		t.Errorf("%d bytes, complete %v, %d repeats, last %d", sum, complete, s.repeats, s.last)
	}
	s.add(data(6, 512))
	if sum, complete := s.bytes(512); sum != 1636 || complete {
		t.Errorf("with a gap: %d bytes, complete %v", sum, complete)
	}
	for n, want := range map[uint16]int{4: 4, 1: 1, 6: 6} {
		if got, ok := s.acknowledged(n); !ok || got != want {
			t.Errorf("ACK %d means block %d %v", n, got, ok)
		}
	}
	for _, n := range []uint16{5, 9, 65535} {
		if got, ok := s.acknowledged(n); ok {
			t.Errorf("ACK %d of a block that was not sent means block %d", n, got)
		}
	}
}

func TestSideRepeats(t *testing.T) {
	var s side
	for range 2 {
		s.add(&tftpPacket{op: tftpOack, options: []Field{{"blksize", "1024"}}})
		s.add(&tftpPacket{op: tftpAck})
		s.add(&tftpPacket{op: tftpError, code: 1, text: "first"})
	}
	s.add(&tftpPacket{op: tftpError, code: 2, text: "second"})
	if !s.oacked || !s.acked || !s.failed || s.code != 1 || s.text != "first" || s.repeats != 4 || s.blksize() != 1024 {
		t.Errorf("side is %+v", s)
	}
	if (&side{}).blksize() != 512 {
		t.Error("without an OACK blocks have 512 bytes")
	}
}

func TestTable(t *testing.T) {
	var table table
	from := endpoint{client, 2000}
	p := tftpPacket{op: tftpRead, name: "a"}
	first, fresh := table.begin(3, 0, from, clientMAC, []byte("a"), p)
	if !fresh {
		t.Error("the first request is not new")
	}
	if e, fresh := table.begin(4, 0, from, clientMAC, []byte("a"), p); fresh || e != first {
		t.Error("a retry opened a second exchange")
	}
	other, fresh := table.begin(5, 0, endpoint{client, 2001}, clientMAC, []byte("a"), p)
	if !fresh || other == first {
		t.Error("another port is the same exchange")
	}
	if e, fresh := table.begin(6, 0, from, clientMAC, []byte("b"), p); !fresh || e == first {
		t.Error("another file is the same exchange")
	}
	other.progressed = true
	if e, fresh := table.begin(7, 0, endpoint{client, 2001}, clientMAC, []byte("a"), p); !fresh || e == other {
		t.Error("the same request after a transfer (the next boot) is the same exchange")
	}
	if len(table.list) != 4 || first.record != 3 {
		t.Errorf("%d exchanges, the first from record %d", len(table.list), first.record)
	}
}

func TestCompareExchange(t *testing.T) {
	oack := func(f ...Field) *tftpPacket { return &tftpPacket{op: tftpOack, options: f} }
	fails := func(code uint16, text string) *tftpPacket { return &tftpPacket{op: tftpError, code: code, text: text} }
	whole := func(s string) *tftpPacket {
		return &tftpPacket{op: tftpData, block: 1, length: len(s), data: []byte(s)}
	}
	for _, k := range []struct {
		name         string
		ours, theirs []*tftpPacket
		want         string
	}{
		{"equal", []*tftpPacket{oack(Field{"tsize", "5"}), data(1, 5)}, []*tftpPacket{oack(Field{"TSIZE", "5"}), data(1, 5)}, ""},
		{"options", []*tftpPacket{oack(Field{"blksize", "512"}, Field{"windowsize", "4"})}, []*tftpPacket{oack(Field{"blksize", "512"}, Field{"tsize", "9"})},
			"OACK | windowsize | 4 | -\nOACK | tsize | - | 9\n"},
		{"OACK missing", []*tftpPacket{data(1, 5)}, []*tftpPacket{oack(Field{"blksize", "512"})}, "OACK | missing | - | blksize=512\nDATA | extra | yes | -\n"},
		{"OACK extra", []*tftpPacket{oack(Field{"windowsize", "4"})}, []*tftpPacket{data(1, 5)}, "OACK | extra | windowsize=4 | -\nDATA | missing | - | yes\n"},
		{"error missing", nil, []*tftpPacket{fails(1, "File not found")}, "ERROR | missing | - | 1 \"File not found\"\n"},
		{"another error", []*tftpPacket{fails(2, "no")}, []*tftpPacket{fails(1, "File not found")}, "ERROR | code | 2 | 1\nERROR | text | no | \"File not found\"\n"},
		{"write granted", nil, []*tftpPacket{{op: tftpAck}}, "ACK | missing | - | 0\n"},
		{"repeated", []*tftpPacket{data(1, 5), data(1, 5)}, []*tftpPacket{data(1, 5)}, "TFTP | repeats | 1 | 0\n"},
		{"block length", []*tftpPacket{data(1, 512), data(2, 4)}, []*tftpPacket{data(1, 512), data(2, 5)}, "DATA | block length | 4 | 5\n"},
		{"blocks missing", []*tftpPacket{data(1, 512)}, []*tftpPacket{data(1, 512), data(2, 512), data(3, 5)}, "DATA | blocks missing | - | 2\n"},
		{"blocks extra", []*tftpPacket{data(1, 512), data(2, 512), data(3, 5)}, []*tftpPacket{data(1, 512)}, "DATA | blocks extra | 2 | -\n"},
		{"an excerpt's gap is not extra", []*tftpPacket{data(1, 512), data(2, 512), data(3, 512)}, []*tftpPacket{data(1, 512), data(3, 512)}, ""},
		{"another block size is one difference", []*tftpPacket{oack(Field{"blksize", "1468"}), data(1, 1468)}, []*tftpPacket{oack(Field{"blksize", "8192"}), data(1, 8192)},
			"OACK | blksize | 1468 | 8192\n"},
		{"bytes", []*tftpPacket{whole("hello")}, []*tftpPacket{whole("hallo")}, "DATA | bytes | 1 blocks differ | -\n"},
		{"bytes that were not captured", []*tftpPacket{whole("hello")}, []*tftpPacket{data(1, 5)}, ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			var e exchange
			for _, p := range k.ours {
				e.ours.add(p)
			}
			for _, p := range k.theirs {
				e.theirs.add(p)
			}
			if got := lines(e.compare(true)); got != k.want {
				t.Errorf("got\n%swant\n%s", got, k.want)
			}
		})
	}
	e := exchange{record: 6, at: 5, mac: clientMAC, request: tftpPacket{op: tftpRead, name: "a", mode: "octet"}}
	e.theirs.unreachable = true
	got := e.compare(false)
	if want := (Difference{Record: 7, At: 5, Client: clientMAC.String(), Message: "UNREACHABLE", Request: "RRQ a octet", Field: "missing", Ours: Absent, Theirs: "port"}); len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if fmt.Sprint(e.compare(true)) != fmt.Sprint(got) {
		t.Error("comparing twice gives two results")
	}
}
