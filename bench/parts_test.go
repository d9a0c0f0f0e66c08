package bench

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bootstorm/proto"
)

// The schedule agrees with a sorted list through any moves.
func TestSchedule(t *testing.T) {
	const nodes = 50
	s := newSchedule(nodes)
	want := map[int]int64{}
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		node, at := r.IntN(nodes), int64(r.IntN(100))
		if r.IntN(4) == 0 {
			at = never
		}
		s.set(node, at)
		want[node] = at
		first, earliest := -1, int64(never)
		for i := range nodes {
			if v, ok := want[i]; ok && v < earliest {
				first, earliest = i, v
			}
		}
		if s.next() != earliest || first >= 0 && s.first() != first {
			t.Fatalf("next is %d, want %d of node %d", s.next(), earliest, first)
		}
	}
}

func TestLedger(t *testing.T) {
	l := newLedger(3)
	a, b := proto.AddrOf(10, 0, 0, 1), proto.AddrOf(10, 0, 0, 2)
	steps := []struct {
		name  string
		now   int64
		addr  proto.Addr
		node  int
		until int64
		want  int
	}{
		{"first", 0, a, 0, 100, -1},
		{"again", 50, a, 0, 150, -1},
		{"held by another", 60, a, 1, 160, 0},
		{"free address", 60, b, 1, 160, -1},
		{"the holder moves", 70, proto.AddrOf(10, 0, 0, 3), 0, 170, -1},
		{"what it left is free", 71, a, 2, 171, -1},
		{"the lease has ended", 160, b, 0, 260, -1},
	}
	for _, c := range steps {
		if got := l.grant(c.now, c.addr, c.node, c.until); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if l.used() != 3 || l.of(161, b) != 0 || l.of(161, a) != 2 || l.of(500, a) != -1 || l.of(0, 99) != -1 {
		t.Errorf("%d used, holders %d and %d", l.used(), l.of(161, b), l.of(161, a))
	}
}

// An impaired link loses, repeats and holds back about as much as asked, and
// keeps the order of what it does not hold back.
func TestWireImpairs(t *testing.T) {
	const n = 10000
	w := newWire(Impairment{Loss: 0.1, Duplicate: 0.05, Reorder: 0.02, Late: 1000, Delay: 10}, 1, 1)
	for i := range n {
		w.enter(int64(i), []byte{byte(i >> 8), byte(i)}, true)
	}
	seen := make([]int, n)
	late, last := 0, -1
	for f := w.leave(n + 2000); f != nil; f = w.leave(n + 2000) {
		i := int(f.data[0])<<8 | int(f.data[1])
		seen[i]++
		switch f.at - int64(i) {
		case 10:
			if i < last {
				t.Fatalf("frame %d comes after %d", i, last)
			}
			last = i
		case 1010:
			late++
		default:
			t.Fatalf("frame %d takes %d", i, f.at-int64(i))
		}
		w.done(f)
	}
	lost, twice := 0, 0
	for _, k := range seen {
		if k == 0 {
			lost++
		}
		if k == 2 {
			twice++
		}
	}
	for _, c := range []struct {
		what      string
		got, want int
	}{{"lost", lost, 1000}, {"twice", twice, 450}, {"late", late, 190}} {
		if c.got < c.want*8/10 || c.got > c.want*12/10 {
			t.Errorf("%s: %d, want about %d", c.what, c.got, c.want)
		}
	}
	if w.lost != uint64(lost) || w.next() != never {
		t.Errorf("counted %d lost, next %d", w.lost, w.next())
	}
}

func TestOutKeepsTheRest(t *testing.T) {
	var o Out
	for i := range 5 {
		copy(o.grow(i+1), bytes.Repeat([]byte{byte(i)}, i+1))
	}
	o.keepFrom(0)
	o.keepFrom(2)
	if o.Len() != 3 {
		t.Fatalf("%d frames left", o.Len())
	}
	for i := range 3 {
		if want := bytes.Repeat([]byte{byte(i + 2)}, i+3); !bytes.Equal(o.Frame(i), want) {
			t.Errorf("frame %d is % x", i, o.Frame(i))
		}
	}
	if o.keepFrom(3); o.Len() != 0 || len(o.buf) != 0 {
		t.Error("frames are left")
	}
}

// Drain stops when the driver has no room, and goes on later, with an impaired
// link and without.
func TestDrainStops(t *testing.T) {
	for _, link := range []Impairment{{}, {Delay: 1}} {
		s, err := NewStorm(Config{Nodes: 10, Sequence: DORA, Link: link}, testContents())
		if err != nil {
			t.Fatal(err)
		}
		s.Begin(0)
		s.Advance(0)
		total := 0
		for now := range int64(20) {
			taken := 0
			s.Drain(now, func([]byte) bool {
				if taken == 3 {
					return false
				}
				taken++
				return true
			})
			total += taken
		}
		if total != 10 {
			t.Errorf("%+v: %d frames taken, want 10", link, total)
		}
	}
}

// TestSome has what is due composed in parts: no more frames than asked for wait at
// once, and it is the same frames in the same order as of Advance.
func TestSome(t *testing.T) {
	var whole, parts [][]byte
	for _, c := range []struct {
		frames int
		to     *[][]byte
	}{{math.MaxInt, &whole}, {3, &parts}} {
		s, err := NewStorm(Config{Nodes: 10, Sequence: DORA}, testContents())
		if err != nil {
			t.Fatal(err)
		}
		s.Begin(0)
		for more := true; more; {
			more = s.Some(0, c.frames)
			if n := s.out.Len(); n > c.frames {
				t.Fatalf("%d frames wait, %d were asked for", n, c.frames)
			}
			s.Drain(0, func(frame []byte) bool {
				*c.to = append(*c.to, bytes.Clone(frame))
				return true
			})
		}
	}
	if len(whole) != 10 || !slices.EqualFunc(whole, parts, bytes.Equal) {
		t.Errorf("%d frames at once, %d in parts", len(whole), len(parts))
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		want   string
	}{
		{"no nodes", Config{}, "0 nodes"},
		{"too many", Config{Nodes: 1 << 24}, "nodes: between"},
		{"sequence", Config{Nodes: 1, Sequence: 99}, "no such sequence"},
		{"group address", Config{Nodes: 1, First: proto.MAC{1}}, "group address"},
		{"probability", Config{Nodes: 1, Link: Impairment{Loss: 1.5}}, "is no share"},
		{"negative", Config{Nodes: 1, Link: Impairment{Reorder: -1}}, "is no share"},
	} {
		if _, err := NewStorm(c.config, NewContents()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestNodeAddresses(t *testing.T) {
	c := Config{Nodes: 300, First: proto.MAC{2, 0, 0, 0xff, 0xff, 0xf0}}
	seen := map[proto.MAC]bool{}
	for i := range c.Nodes {
		m := c.MAC(i)
		if seen[m] || c.nodeOf(m) != i || m[0] != 2 {
			t.Fatalf("node %d has %s, which is node %d", i, m, c.nodeOf(m))
		}
		seen[m] = true
	}
	for _, m := range []proto.MAC{{2, 0, 0, 0xff, 0xff, 0xef}, {2, 0, 1, 0xff, 0xff, 0xf0}, proto.Broadcast, c.MAC(300)} {
		if c.nodeOf(m) != -1 {
			t.Errorf("%s is node %d", m, c.nodeOf(m))
		}
	}
}

func TestSequenceNames(t *testing.T) {
	for s := range sequences {
		if got, err := ParseSequence(s.String()); err != nil || got != s {
			t.Errorf("%s is read as %s, %v", s, got, err)
		}
	}
	if _, err := ParseSequence("nonsense"); err == nil || !strings.Contains(err.Error(), "guide") {
		t.Errorf("the error does not say what there is: %v", err)
	}
	if sequences.String() != "unknown" {
		t.Errorf("a number outside is %q", sequences)
	}
}

func TestReadContents(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"ipxe.efi": "MZ", "empty": "", "sub/refind.pxe": "#!ipxe\nchain tftp://${next-server}/x"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c, err := ReadContents(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"ipxe.efi": 2, "/ipxe.efi": 2, "//sub/../ipxe.efi": 2, "empty": 0, "/sub/refind.pxe": 36} {
		if f := c.Lookup(name); f == nil || f.Size != size {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if f := c.Lookup("sub/refind.pxe"); !slices.Equal(f.Fetches, []string{"x"}) || c.Lookup("nosuch") != nil {
		t.Errorf("%+v", f)
	}
	for _, bad := range []string{t.TempDir(), filepath.Join(dir, "nosuch")} {
		if _, err := ReadContents(bad); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

// In a log a line comes now and then, and always the last one.
// On a terminal one line is rewritten and never wider than the terminal.
// A look at a running storm: who is where, most first, and how far it is.
// Encapsulated options are walked as iPXE does it: PAD and END count, and a
// length beyond the end yields nothing.
func TestSubOption(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want []byte
	}{
		{"alone", []byte{176, 1, 1}, []byte{1}},
		{"behind others and padding", []byte{0, 8, 2, 1, 2, 0, 176, 1, 9}, []byte{9}},
		{"behind END", []byte{255, 176, 1, 1}, nil},
		{"cut", []byte{176, 2, 1}, nil},
		{"code alone", []byte{176}, nil},
		{"empty", nil, nil},
	} {
		if got := subOption(c.b, 176); !bytes.Equal(got, c.want) {
			t.Errorf("%s: % x, want % x", c.name, got, c.want)
		}
	}
}

// END is found only where an option may stand.
func TestHasEnd(t *testing.T) {
	head := make([]byte, 240)
	for _, c := range []struct {
		name    string
		options []byte
		want    bool
	}{
		{"at once", []byte{255}, true},
		{"behind options", []byte{53, 1, 2, 0, 255}, true},
		{"as a value", []byte{53, 1, 255}, false},
		{"none", []byte{53, 1, 2, 0, 0}, false},
		{"length missing", []byte{53}, false},
		{"jumped over", []byte{53, 9, 255}, false},
	} {
		if got := hasEnd(append(head[:240:240], c.options...)); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
