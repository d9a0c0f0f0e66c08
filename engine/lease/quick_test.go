package lease

import (
	"math/rand/v2"
	"os"
	"reflect"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// sameByGrammar reads a file again without the quick reader of our own records,
// which may change nothing but the time that it takes.
func sameByGrammar(t *testing.T, text []byte, r *Recovered) {
	t.Helper()
	slow := parseBy(text, noon, func(*parser) bool { return false })
	if !reflect.DeepEqual(r, slow) {
		t.Fatalf("read quickly\n%+v\nby the grammar\n%+v\n%s", r, slow, text)
	}
}

// randomLease has anything that a record can have.
func randomLease(r *rand.Rand) *batch.Lease {
	l := &batch.Lease{Addr: proto.AddrOf(10, 0, 0, 0) + proto.Addr(r.IntN(60)), State: batch.LeaseState(r.IntN(int(batch.LeaseStates)))}
	for _, at := range []*int64{&l.Starts, &l.Ends, &l.CLTT} {
		*at = []int64{0, batch.Forever, r.Int64N(1 << 32)}[min(2, r.IntN(8))]
	}
	l.HW = dhcp.HW{Type: byte(1 + r.IntN(2)*5), Len: byte([]int{0, 6, 16, 6, 6}[r.IntN(5)])}
	text := func(to []byte, long int) byte {
		n := r.IntN(long + 1)
		for i := range to[:min(n, len(to))] {
			to[i] = byte(r.IntN(256))
			if r.IntN(4) > 0 {
				to[i] = `ab" \;}{`[r.IntN(8)]
			}
		}
		return byte(n)
	}
	text(l.HW.Addr[:l.HW.Len], 16)
	if r.IntN(2) == 0 {
		l.ClientIDLen = text(l.ClientID[:], 200)
	}
	if r.IntN(2) == 0 {
		l.VendorLen = text(l.Vendor[:], batch.MaxVendor)
	}
	if r.IntN(2) == 0 {
		l.HostnameLen = text(l.Hostname[:], batch.MaxHostname)
	}
	if r.IntN(8) == 0 {
		l.Billing = r.Uint64()
	}
	return l
}

// TestQuick reads what appendRecord writes, and what a damaged disk makes of it,
// as the grammar does.
func TestQuick(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var text []byte
		for range 1 + r.IntN(100) {
			text = AppendRecord(text, randomLease(r))
		}
		sameByGrammar(t, text, parse(text, noon))
		for range r.IntN(4) {
			text[r.IntN(len(text))] = "\x00\n;}\"\\ x7"[r.IntN(9)]
		}
		text = text[:len(text)-r.IntN(20)]
		sameByGrammar(t, text, parse(text, noon))
	}
}

// TestQuickIsUsed finds that the usual record is read quickly, identifier and
// all: else a start would be slow and nobody would know why.
func TestQuickIsUsed(t *testing.T) {
	l := batch.Lease{Addr: proto.AddrOf(10, 0, 0, 1), State: batch.LeaseActive, HW: dhcp.HW{Type: 1, Len: 6},
		Starts: noon, Ends: noon + 7200, CLTT: noon, ClientIDLen: 17, HostnameLen: 4, VendorLen: 4}
	copy(l.Hostname[:], "node")
	copy(l.Vendor[:], `PX"E`)
	for _, state := range []batch.LeaseState{batch.LeaseActive, batch.LeaseFree, batch.LeaseReleased, batch.LeaseAbandoned} {
		l.State = state
		p := &parser{scanner: scanner{src: AppendRecord(nil, &l)}, out: &Recovered{index: map[proto.Addr]int32{}}}
		if !p.quick() || p.out.Leases[0] != l || p.at != len(p.src)-1 {
			t.Errorf("%s: %+v", p.src, p.out)
		}
	}
}

// TestSort orders the records of a file and lets their further statements follow.
func TestSort(t *testing.T) {
	text, err := os.ReadFile("testdata/dhcpd-4.4.leases")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		l := randomLease(r)
		l.Addr = proto.AddrOf(10, byte(r.IntN(3)), 0, byte(r.IntN(100)))
		text = appendRecord(text, l, []byte("  option x "+l.Addr.String()+";\n"))
	}
	got := parse(text, noon)
	for i := range got.Leases {
		l := &got.Leases[i]
		if i > 0 && got.Leases[i-1].Addr >= l.Addr || got.index[l.Addr] != int32(i) {
			t.Errorf("%v at %d, index %d", l.Addr, i, got.index[l.Addr])
		}
		if l.Addr>>24 == 10 {
			if want := "  option x " + l.Addr.String() + ";\n"; string(got.extras[int32(i)]) != want {
				t.Errorf("%v: %q", l.Addr, got.extras[int32(i)])
			}
			if want := len(appendRecord(nil, l, got.extras[int32(i)])); int(got.sizes[i]) != want {
				t.Errorf("%v: %d bytes, want %d", l.Addr, got.sizes[i], want)
			}
		}
	}
}
