package bench

import (
	"slices"
	"strings"
	"testing"

	"bootstorm/proto"
)

// deaf makes the fixture lose its answers to ARP from the first request on for
// which from says so, for so many ms, and returns when nodes ask, in ms since that
// request, and when it came, ns.
func deaf(f *fixture, until int64, from func() bool) (asked *[]int64, begin *int64) {
	asked = new([]int64)
	first := int64(-1)
	f.hear = func(p *proto.Packet) {
		if p.Kind != proto.KindARP || p.ARP.Op != proto.ARPRequest || !from() {
			return
		}
		if first < 0 {
			first = f.now
		}
		*asked = append(*asked, (f.now-first)/1e6)
	}
	f.reshape = func(b []byte) []byte {
		if b[12] == 8 && b[13] == 6 && first >= 0 && f.now < first+until*1e6 {
			return nil
		}
		return b
	}
	return asked, &first
}

// Who gets no answer to ARP asks again and gives up as its program does.
func TestARPByClient(t *testing.T) {
	const ever = 1 << 40
	var grubTimes []int64
	for i, at := 0, int64(0); i < 40; i++ {
		grubTimes = append(grubTimes, at)
		at += 400 + int64(i)*20
	}
	for _, c := range []struct {
		name   string
		config Config
		want   []int64
		ends   int64 // ms after the first request
	}{
		{"iPXE", Config{Sequence: Guide}, []int64{0, 125, 375, 875, 1875, 7750, 7875, 8125, 8625, 9625}, 15750},
		{"U-Boot", Config{Sequence: Firmware, Clients: mix(t, "uboot=1")},
			[]int64{0, 5000, 10000, 15000, 20000, 25000, 30000, 35000, 40000, 45000, 50000, 55000}, 60000},
		{"GRUB", Config{Sequence: Kernel, Clients: mix(t, "grub=1"), Files: []string{"refind.conf"}}, grubTimes, 31600},
		{"Linux", Config{Sequence: Linux}, []int64{0, 1000, 2000, 4000, 5000, 6000, 12000, 13000, 14000, 28000, 29000, 30000, 60000, 61000, 62000}, 124000},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, testContents())
			requests := func() bool {
				return c.config.Sequence == Linux || c.config.Sequence == Firmware || len(f.requests) > 0 && strings.Contains(f.requests[0].text, "ipxe.efi")
			}
			asked, first := deaf(f, ever, requests)
			c.config.Nodes = 1
			r := play(t, c.config, f)
			wantReason(t, r, "nobody answers ARP for 192.168.1.1")
			if !slices.Equal(*asked, c.want) || r.Repeated.ARP != uint64(len(c.want)-1) {
				t.Errorf("asked at %v ms, want %v; %d repeated", *asked, c.want, r.Repeated.ARP)
			}
			if end := r.Failures[0].At.Milliseconds() - *first/1e6; end != c.ends {
				t.Errorf("gives up after %d ms, want %d", end, c.ends)
			}
		})
	}
}

// The firmware asks at the beats of its clock, three times, and again when TFTP
// sends its request again.
func TestARPOfFirmware(t *testing.T) {
	f := newFixture(t, testContents())
	asked, _ := deaf(f, 1<<40, func() bool { return true })
	wantReason(t, play(t, Config{Nodes: 1, Sequence: Firmware, Seed: 3}, f), "nobody answers ARP")
	if len(*asked) != 18 {
		t.Fatalf("asked at %v", *asked)
	}
	for i := 0; i < 18; i += 3 {
		a := (*asked)[i : i+3]
		if a[0] != int64(i/3)*4000 || a[1]-a[0] > 500 || a[2]-a[1] != 500 {
			t.Errorf("round %d: asked at %v", i/3, a)
		}
	}
}

// What iPXE's timer repeats while it asks for an address leaves with the first
// request, when the answer is there.
func TestRequestsWaitForARP(t *testing.T) {
	f := newFixture(t, testContents())
	asked, _ := deaf(f, 800, func() bool { return len(f.requests) == 2 })
	r := play(t, Config{Nodes: 1, Sequence: Guide}, f)
	wantOK(t, r)
	if want := []int64{0, 125, 375, 875}; !slices.Equal(*asked, want) {
		t.Errorf("asked at %v, want %v", *asked, want)
	}
	n := 0
	for _, q := range f.requests {
		if strings.HasPrefix(q.text, "refind.pxe ") {
			n++
		}
	}
	if n != 3 || r.Repeated.RRQ != 2 { // those of 0, 250 and 750 ms
		t.Errorf("%d requests, %d of them repeated", n, r.Repeated.RRQ)
	}
}

// An answer that comes when the requests were in vain already is good for the next
// one that the client sends.
func TestLateARP(t *testing.T) {
	f := newFixture(t, testContents())
	asked, _ := deaf(f, 7000, func() bool { return len(f.requests) == 2 })
	wantOK(t, play(t, Config{Nodes: 1, Sequence: Guide}, f))
	if want := []int64{0, 125, 375, 875, 1875, 7750}; !slices.Equal(*asked, want) {
		t.Errorf("asked at %v, want %v", *asked, want)
	}
}
