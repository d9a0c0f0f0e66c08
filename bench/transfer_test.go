package bench

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// The requests of a whole boot: names, options and their order, ports.
func TestReadRequests(t *testing.T) {
	f, r := firstBoot(t, Guide, false, nil)
	if !r.OK() {
		t.Fatalf("%+v", r.Failures)
	}
	want := []string{
		"ipxe.efi octet tsize 0 blksize 1468 windowsize 4 ",
		"ipxe.efi octet blksize 1468 windowsize 4 ",
		"refind.pxe octet blksize 1432 tsize 0 ",
		"refind.conf octet blksize 1432 tsize 0 ",
		"refind_x64.efi octet blksize 1432 tsize 0 ",
	}
	if len(f.requests) != len(want) {
		t.Fatalf("%+v", f.requests)
	}
	for i, q := range f.requests {
		if q.text != want[i] {
			t.Errorf("request %d is %q, want %q", i, q.text, want[i])
		}
	}
	if f.requests[1].port != f.requests[0].port+1 {
		t.Errorf("edk2 reads from port %d after the probe from %d", f.requests[1].port, f.requests[0].port)
	}
	if f.errors != 1 {
		t.Errorf("%d ERRORs, want the probe's one", f.errors)
	}
}

// The iPXE of 2019 uses the same ports and xid on each boot, 2.0 does not.
func TestIPXEHabits(t *testing.T) {
	for _, fresh := range []bool{false, true} {
		f := newFixture(t, testContents())
		if r := play(t, Config{Nodes: 1, Boots: 2, Seed: 1, Fresh: fresh}, f); !r.OK() {
			t.Fatalf("%+v", r.Failures)
		}
		samePort := f.requests[2].port == f.requests[7].port && f.requests[4].port == f.requests[9].port
		x, y := dhcp.View(f.seen[2].msg), dhcp.View(f.seen[6].msg)
		if samePort == fresh || (x.XID() == y.XID()) == fresh || (x.Flags() == dhcp.FlagBcast) != fresh {
			t.Errorf("fresh %v: same ports %v, xid %x and %x, flags %x", fresh, samePort, x.XID(), y.XID(), x.Flags())
		}
	}
}

// Option 13 tells edk2 the size: no probe.
func TestBootSizeSparesTheProbe(t *testing.T) {
	f, r := firstBoot(t, Firmware, false, func(f *fixture) { f.bend = withOptions([]byte{13, 2, 0, 58}) }) // 29,360 bytes are 57.3 blocks
	if !r.OK() || len(f.requests) != 1 || strings.Contains(f.requests[0].text, "tsize") {
		t.Errorf("%+v, %+v", r.Failures, f.requests)
	}
}

// Nobody answers a read request: six tries 4 s apart, or iPXE's doubling.
func TestRRQSchedule(t *testing.T) {
	f, r := firstBoot(t, Firmware, false, func(f *fixture) { f.silent = true })
	var at []int64
	for _, q := range f.requests {
		at = append(at, q.at-f.requests[0].at)
	}
	if !slices.Equal(at, []int64{0, 4000, 8000, 12000, 16000, 20000}) || r.Repeated.RRQ != 5 {
		t.Errorf("edk2 sends RRQ at %v ms, %d repeated", at, r.Repeated.RRQ)
	}
	wantReason(t, r, "fell silent at block 0")

	f, r = firstBoot(t, Guide, false, func(f *fixture) {
		f.oack = func(name string, granted []byte) []byte {
			if name == "refind.pxe" {
				return nil
			}
			return granted
		}
	})
	at = nil
	for _, q := range f.requests[2:] {
		at = append(at, q.at-f.requests[2].at)
	}
	if !slices.Equal(at, []int64{0, 250, 750, 1750, 3750, 7750}) {
		t.Errorf("iPXE sends RRQ at %v ms", at)
	}
	wantReason(t, r, "refind.pxe: the server fell silent")
}

// replace changes an OACK's bytes.
func replace(from, to string) func(string, []byte) []byte {
	return func(_ string, granted []byte) []byte { return bytes.Replace(granted, []byte(from), []byte(to), 1) }
}

func TestFaultsOfTransfers(t *testing.T) {
	ofFile := func(file string, f func(number int, b []byte) []byte) func(*fixture) {
		return func(x *fixture) {
			x.block = func(name string, number int, b []byte) []byte {
				if name != file {
					return b
				}
				return f(number, b)
			}
		}
	}
	oack := func(f func(string, []byte) []byte) func(*fixture) { return func(x *fixture) { x.oack = f } }
	for _, c := range []struct {
		name   string
		change func(*fixture)
		want   string
	}{
		{"one bit wrong, edk2", ofFile("ipxe.efi", flip), "ipxe.efi: block 7 differs"},
		{"one bit wrong, iPXE", ofFile("refind_x64.efi", flip), "refind_x64.efi: block 7 differs"},
		{"short block in the middle", ofFile("ipxe.efi", func(n int, b []byte) []byte { return b[:min(len(b), 1400)] }), "block 1 holds 1400 bytes"},
		{"last block too long", ofFile("refind.conf", func(_ int, b []byte) []byte { return append(bytes.Clone(b), 0) }), "does not make a file of 133"},
		{"larger blksize than asked for", oack(replace("1468", "1469")), "grants a blksize of 1469"},
		{"blksize 4", oack(replace("1468", "4")), "grants a blksize of 4"},
		{"larger windowsize than asked for", oack(replace("windowsize\x004", "windowsize\x005")), "grants a windowsize of 5"},
		{"windowsize 0", oack(replace("windowsize\x004", "windowsize\x000")), "grants a windowsize of 0"},
		{"wrong tsize", oack(replace("29360", "29361")), "says 29361 bytes, the file has 29360"},
		{"no tsize for the probe", oack(replace("tsize\x0029360\x00", "")), "does not say the size"},
		{"option not asked for", oack(func(_ string, b []byte) []byte { return append(b, "timeout\x001\x00"...) }), `"timeout", which was not asked for`},
		{"value missing", oack(func(_ string, b []byte) []byte { return append(b, "blksize\x00"...) }), "malformed"},
		{"value not ended", oack(func(_ string, b []byte) []byte { return b[:len(b)-1] }), "malformed"},
		{"value no number", oack(replace("1468", "many")), "malformed"},
		{"ERROR", oack(func(string, []byte) []byte { return []byte("\x00\x05\x00\x01File not found\x00") }), `ERROR 1 "File not found"`},
		{"opcode 9", oack(func(string, []byte) []byte { return []byte{0, 9, 0, 0} }), "opcode 9"},
		{"DATA for the probe", oack(func(string, []byte) []byte { return []byte{0, 3, 0, 1, 'x'} }), "DATA in answer to a request for the size"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, r := firstBoot(t, Guide, false, c.change)
			wantReason(t, r, c.want)
		})
	}
}

func flip(number int, b []byte) []byte {
	if number != 7 {
		return b
	}
	b = bytes.Clone(b)
	b[len(b)-1] ^= 1
	return b
}

// A server without options answers a request with DATA, in blocks of 512.
func TestServerWithoutOptions(t *testing.T) {
	data := testContents().Lookup("refind_x64.efi").Data
	s, n := reading(t, ipxe, data, 512)
	n.file.state, n.file.blksize, n.file.peer = asking, 0, 0
	for i := range len(data)/512 + 1 {
		n.fileReceive(0, &proto.Packet{Kind: proto.KindUDP, Src: serverAddr, SrcPort: 69, DstPort: 5,
			Payload: append([]byte{0, 3, 0, byte(i + 1)}, block(data, 512, i)...)})
	}
	if r := s.Result(); r.Done != 1 || r.Verified != uint64(len(data)) {
		t.Errorf("%+v", r)
	}
}

// lossy drops every n-th DATA block once.
func lossy(n int) func(*fixture) {
	count := 0
	return func(f *fixture) {
		f.block = func(_ string, _ int, b []byte) []byte {
			if count++; count%n == 0 {
				return nil
			}
			return b
		}
	}
}

// Lost blocks: edk2 says again what it has and waits, iPXE repeats its ACK; the
// file is complete and right in the end.
func TestLostBlocks(t *testing.T) {
	_, r := firstBoot(t, Guide, false, lossy(5))
	if !r.OK() || r.Repeated.Ack+r.Repeated.Gap == 0 {
		t.Errorf("%+v, %+v", r.Failures, r.Repeated)
	}
}

// iPXE keeps blocks that come early and acknowledges the gap before them.
func TestIPXEStoresAnyOrder(t *testing.T) {
	data := testContents().Lookup("refind_x64.efi").Data
	s, n := reading(t, ipxe, data, 1432)
	total := len(data)/1432 + 1
	for i := total - 1; i > 0; i-- {
		n.data(0, uint16(i+1), block(data, 1432, i))
		if ack := lastAck(t, s); ack != 0 {
			t.Fatalf("ACK %d while block 1 is missing", ack)
		}
	}
	if n.data(0, 3, block(data, 1432, 2)); s.stats.duplicate != 1 {
		t.Errorf("%d duplicates", s.stats.duplicate)
	}
	n.data(0, 1, block(data, 1432, 0))
	if ack := lastAck(t, s); ack != total || s.Result().Done != 1 || s.stats.verified != uint64(len(data)) {
		t.Errorf("ACK %d of %d, %+v", ack, total, s.Result())
	}
}

// edk2 takes blocks in order only: one ahead, or one behind, draws an ACK of
// what it has, and a full window draws one ACK.
func TestEdk2TakesOrderOnly(t *testing.T) {
	data := testContents().Lookup("ipxe.efi").Data
	s, n := reading(t, edk2, data, 1468)
	n.file.window = 4
	for i, c := range []struct {
		number uint16
		ack    int // expected, -1 for none
	}{{1, -1}, {2, -1}, {4, 2}, {4, 2}, {2, 2}, {3, -1}, {4, -1}, {5, -1}, {6, 6}, {7, -1}} {
		s.out.Reset()
		n.data(0, c.number, block(data, 1468, int(c.number)-1))
		if got := lastAck(t, s); got != c.ack {
			t.Errorf("step %d, block %d: ACK %d, want %d", i, c.number, got, c.ack)
		}
	}
	if s.stats.repeated.Gap != 2 || s.stats.duplicate != 1 {
		t.Errorf("%d gaps, %d duplicates", s.stats.repeated.Gap, s.stats.duplicate)
	}
}

// reading makes a node that is in the middle of a transfer.
func reading(t *testing.T, who client, data []byte, blksize int) (*Storm, *node) {
	t.Helper()
	f := &File{Name: "f", Data: data}
	s, err := NewStorm(Config{Nodes: 1}, NewContents(f))
	if err != nil {
		t.Fatal(err)
	}
	s.nodes[0].steps = []step{{kind: stepFile, who: who}}
	n := &s.nodes[0]
	n.on, n.addr = true, proto.AddrOf(192, 168, 1, 2)
	n.file = transfer{who: who, state: receiving, name: "f", file: f, port: 5, peer: 69, window: 1, server: serverAddr}
	n.file.setBlksize(blksize)
	return s, n
}

func block(data []byte, size, i int) []byte { return data[i*size : min((i+1)*size, len(data))] }

// lastAck is the number in the last frame sent, -1 if none was.
func lastAck(t *testing.T, s *Storm) int {
	t.Helper()
	if s.out.Len() == 0 {
		return -1
	}
	b := s.out.Frame(s.out.Len() - 1)[proto.HeadersLen:]
	if len(b) != 4 || b[1] != tftpAck {
		t.Fatalf("the last packet is % x", b)
	}
	return int(b[2])<<8 | int(b[3])
}

// Files of more than 65535 blocks wrap to block 0 with both clients.
func TestWrap(t *testing.T) {
	data := make([]byte, 8*65540+3)
	for i := range data {
		data[i] = byte(i >> 3)
	}
	for _, who := range []client{edk2, ipxe} {
		s, n := reading(t, who, data, 8)
		for i := range len(data)/8 + 1 {
			s.out.Reset()
			n.data(0, uint16(i+1), block(data, 8, i))
		}
		if s.Result().Done != 1 {
			t.Errorf("client %d: %+v", who, s.Result().Failures)
		}
	}
}

// The hazard of iPXE's wrap: block 0 ahead of block 65535 ends the boot.
func TestIPXEWrapHazard(t *testing.T) {
	data := make([]byte, 8*65600)
	s, n := reading(t, ipxe, data, 8)
	for i := range 65000 {
		s.out.Reset()
		n.data(0, uint16(i+1), block(data, 8, i))
	}
	n.data(0, 0, block(data, 8, 65535))
	wantReason(t, withBoots(s), "block number 0")
}

func withBoots(s *Storm) *Result {
	s.stats.started = 1
	return s.Result()
}

// A frame to a closed port: edk2 answers with ICMP port unreachable, iPXE is
// silent. An ICMP for a transfer of its own ends edk2's boot.
func TestClosedPorts(t *testing.T) {
	late := func(f *fixture, name string) {
		f.oack = func(n string, granted []byte) []byte {
			if n == name && len(f.requests) != 1 { // not to the probe's
				f.out.udp(address{serverMAC, serverAddr, 69}, address{proto.MAC{0x52, 0x54, 0, 0, 0, 1}, proto.AddrOf(192, 168, 1, 2), 9}, 0, []byte{0, 3, 0, 9})
			}
			return granted
		}
	}
	f, r := firstBoot(t, Firmware, false, func(f *fixture) { late(f, "ipxe.efi") })
	if !r.OK() || f.refused != 1 {
		t.Errorf("edk2: %+v, %d ICMP", r.Failures, f.refused)
	}
	f, r = firstBoot(t, Guide, false, func(f *fixture) { late(f, "refind.conf") })
	if !r.OK() || f.refused != 0 || r.Stray == 0 {
		t.Errorf("iPXE: %+v, %d ICMP, %d stray", r.Failures, f.refused, r.Stray)
	}
	_, r = firstBoot(t, Firmware, false, func(f *fixture) {
		f.oack = func(string, []byte) []byte {
			q := f.requests[len(f.requests)-1]
			f.out.unreachable(&proto.Packet{SrcMAC: proto.MAC{0x52, 0x54, 0, 0, 0, 1}, DstMAC: serverMAC, Src: proto.AddrOf(192, 168, 1, 2),
				Dst: serverAddr, SrcPort: q.port, DstPort: 69})
			return nil
		}
	})
	wantReason(t, r, "ICMP port unreachable")
}

// Contents known by size and hash only are assembled and judged at the end.
func TestContentsByHash(t *testing.T) {
	for _, wrong := range []bool{false, true} {
		f := newFixture(t, testContents())
		files := testContents()
		x := files.Lookup("refind_x64.efi")
		sum := sha256.Sum256(x.Data)
		if wrong {
			sum[0]++
		}
		y := &File{Name: x.Name, Size: len(x.Data), SHA256: sum}
		f.files = files
		expected := NewContents(files.Lookup("ipxe.efi"), files.Lookup("refind.pxe"), files.Lookup("refind.conf"), y)
		s, err := NewStorm(Config{Nodes: 2}, expected)
		if err != nil {
			t.Fatal(err)
		}
		if r := playStorm(t, s, f); r.OK() == wrong {
			t.Errorf("wrong hash %v: %+v", wrong, r.Failures)
		}
	}
}

// iPXE 2.0 asks twice for autoexec.ipxe with the firmware's address; that there
// is none is right, any other ERROR is not. The one of 2019 does not ask.
func TestAutoexec(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer string
		want   string
	}{
		{"not found", "\x00\x05\x00\x01File not found\x00", ""},
		{"access violation", "\x00\x05\x00\x02No\x00", "autoexec.ipxe: ERROR 2"},
	} {
		f := newFixture(t, testContents())
		f.oack = func(name string, granted []byte) []byte {
			if name == "autoexec.ipxe" {
				return []byte(c.answer)
			}
			return granted
		}
		r := play(t, Config{Nodes: 1, Fresh: true}, f)
		if c.want != "" {
			wantReason(t, r, c.want)
			continue
		}
		wantOK(t, r)
		if len(f.requests) != 7 || f.requests[2].text != "autoexec.ipxe octet blksize 1432 tsize 0 " || f.requests[2].port == f.requests[3].port {
			t.Errorf("%+v", f.requests)
		}
	}
}

// If there is an autoexec.ipxe it is read, and iPXE goes on.
func TestAutoexecExists(t *testing.T) {
	f := newFixture(t, testContents())
	f.files.files["autoexec.ipxe"] = &File{Name: "autoexec.ipxe", Data: []byte("#!ipxe\n"), Size: 7}
	wantOK(t, play(t, Config{Nodes: 1, Fresh: true}, f))
}

// Where clients read from, boot after boot: GRUB and U-Boot come back to their ports,
// as iPXE of 2019 does; the firmware's change.
func TestPortsOfEachBoot(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		ports  func(boot int, q []request) bool
	}{
		{"GRUB", Config{Sequence: Kernel, Clients: mix(t, "grub=1"), Files: []string{"refind.conf", "refind.pxe"}},
			func(_ int, q []request) bool { // after the firmware's probe and read
				return len(q) == 4 && q[2].port == grubPort && q[3].port == grubPort+1
			}},
		{"U-Boot", Config{Sequence: Kernel, Clients: mix(t, "uboot=1"), Files: []string{"refind.conf"}},
			func(_ int, q []request) bool { return len(q) == 1 && q[0].port >= 1024 && q[0].port < 1034 }}, // within 10 ms of power-on
		{"firmware", Config{Sequence: Firmware},
			func(_ int, q []request) bool { return len(q) == 2 && q[0].port > 1024 && q[1].port <= 2050 }},
	} {
		f := newFixture(t, testContents())
		c.config.Nodes, c.config.Boots, c.config.Seed = 1, 3, 1
		wantOK(t, play(t, c.config, f))
		each := len(f.requests) / 3
		for boot := range 3 {
			if q := f.requests[boot*each : (boot+1)*each]; !c.ports(boot, q) {
				t.Errorf("%s, boot %d: %+v", c.name, boot, q)
			}
		}
	}
}
