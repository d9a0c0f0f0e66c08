package bench

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto/dhcp"
)

// mix is ParseMix for tests.
func mix(t *testing.T, text string) Mix {
	t.Helper()
	m, err := ParseMix(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// modelsConf names a boot file for each kind of client.
const modelsConf = `
option arch code 93 = unsigned integer 16;
subnet 192.168.0.0 netmask 255.255.0.0 {
    range 192.168.16.0 192.168.19.231;
    option routers 192.168.1.1;
    next-server 192.168.1.1;
    if exists user-class and option user-class = "iPXE" { filename "refind.pxe"; }
    elsif option arch = 00:16 { filename "uboot.scr"; }
    else { filename "ipxe.efi"; }
}
`

// modelsContents adds to the guide's files what boot loaders read; the initrd
// ends on the border of a block of 1468.
func modelsContents() *Contents {
	fill := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(i*31 + i>>9)
		}
		return b
	}
	c := testContents()
	for name, data := range map[string][]byte{"kernel": fill(400_001), "initrd": fill(300 * 1468), "uboot.scr": fill(3000)} {
		c.files[name] = &File{Name: name, Data: data, Size: len(data)}
	}
	return c
}

// Every model boots through every sequence, on a perfect link and with frames
// lost; every byte is compared as it arrives.
func TestModelsAgainstTheCore(t *testing.T) {
	for _, loss := range []float64{0, 0.05} {
		for _, c := range []Config{
			{Clients: mix(t, "rom"), Sequence: Guide},
			{Clients: mix(t, "rom"), Sequence: Guide, Waits: true},
			{Clients: mix(t, "grub"), Sequence: Guide},
			{Clients: mix(t, "uboot"), Sequence: Guide},
			{Clients: mix(t, "uboot"), Sequence: Kernel, Window: 16},
			{Clients: mix(t, "uboot"), Sequence: Kernel, Window: 64},
			{Clients: mix(t, "grub"), Sequence: Kernel},
			{Clients: mix(t, "edk2"), Sequence: Kernel},
			{Clients: mix(t, "edk2"), Sequence: Kernel, Window: 16},
			{Clients: mix(t, "rom"), Sequence: Kernel, Window: 64},
			{Clients: mix(t, "edk2=4,rom=2,grub=1,uboot=1"), Sequence: Full, Renew: batch.Second},
		} {
			c.Nodes, c.Seed, c.Files, c.Link.Loss = 16, 11, []string{"kernel", "initrd"}, loss
			t.Run(fmt.Sprintf("%v, %s, window %d, waits %v, loss %v", c.Clients.cycle, c.Sequence, c.Window, c.Waits, loss), func(t *testing.T) {
				wantOK(t, simulateModels(t, c))
			})
		}
	}
}

func simulateModels(t testing.TB, c Config) *Result {
	t.Helper()
	files := modelsContents()
	k, link := newCore(t, modelsConf, 16, files)
	s, err := NewStorm(c, files)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Simulate(s, k, Simulation{Link: link, Rate: 1e9}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A window divides the ACKs: one for each, and one for the OACK of each file.
func TestWindowDividesACKs(t *testing.T) {
	for _, window := range []int{1, 16, 64} {
		r := simulateModels(t, Config{Nodes: 1, Sequence: Kernel, Files: []string{"initrd"}, Window: window, Clients: mix(t, "edk2")})
		wantOK(t, r)
		blocks := 301
		want := 2 + 1 + 1 + 1 + (blocks+window-1)/window // DISCOVER, REQUEST, ARP, RRQ, ACK 0
		// The core may ask by ARP for an address before it offers it, which nobody
		// answers; the node itself sends what is counted here.
		if int(r.FramesOut) != want {
			t.Errorf("window %d: %d frames sent, want %d", window, r.FramesOut, want)
		}
	}
}

// one plays one boot of a client against the hand-made server.
func one(t *testing.T, c Config, change func(*fixture)) (*fixture, *Result) {
	t.Helper()
	f := newFixture(t, modelsContents())
	f.window = 64
	if change != nil {
		change(f)
	}
	c.Nodes, c.Seed = 1, 3
	return f, play(t, c, f)
}

// What each model asks for, in its own words. Those of GRUB, and of iPXE on a
// BIOS, are in captures of the real programs.
func TestReadRequestsOfModels(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		want   []string
	}{
		{"ROM", Config{Clients: mix(t, "rom"), Sequence: Firmware}, []string{"ipxe.efi octet tsize 0 ", "ipxe.efi octet blksize 1456 "}},
		{"GRUB", Config{Clients: mix(t, "grub"), Sequence: Kernel, Files: []string{"kernel", "/initrd"}},
			[]string{"ipxe.efi octet tsize 0 blksize 1468 windowsize 4 ", "ipxe.efi octet blksize 1468 windowsize 4 ",
				"/kernel octet blksize 1024 tsize 0 ", "/initrd octet blksize 1024 tsize 0 "}},
		{"U-Boot", Config{Clients: mix(t, "uboot"), Sequence: Firmware}, []string{"ipxe.efi octet timeout 5 tsize 0 blksize 1468 "}},
		{"U-Boot with windows", Config{Clients: mix(t, "uboot"), Sequence: Kernel, Files: []string{"kernel"}, Window: 8},
			[]string{"kernel octet timeout 5 tsize 0 blksize 1468 windowsize 8 "}},
		{"loader", Config{Sequence: Kernel, Files: []string{"kernel", "initrd"}, Window: 64},
			[]string{"kernel octet tsize 0 blksize 1468 windowsize 64 ", "initrd octet tsize 0 blksize 1468 windowsize 64 "}},
	} {
		f, r := one(t, c.config, nil)
		wantOK(t, r)
		var got []string
		for _, q := range f.requests {
			got = append(got, q.text)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s asks %q, want %q", c.name, got, c.want)
		}
	}
}

// The options of a DISCOVER: their order, the architecture, the class and the
// broadcast flag.
func TestDiscoverOfModels(t *testing.T) {
	for _, c := range []struct {
		clients  string
		message  int
		options  []byte
		arch     string
		class    string
		flag     uint16
		longName string
	}{
		{"rom", 0, []byte{53, 55, 57, 97, 93, 94, 60}, "\x00\x00", "PXEClient:Arch:00000:UNDI:002001", dhcp.FlagBcast, "ROM"},
		{"rom", 2, []byte{53, 57, 93, 94, 60, 77, 55, 175, 61, 97}, "\x00\x00", "PXEClient:Arch:00000:UNDI:002001", 0, "iPXE on a BIOS"},
		{"uboot", 0, []byte{53, 57, 60, 93, 94, 55}, "\x00\x16", "U-Boot.armv8", 0, "U-Boot"},
		{"grub", 0, []byte{53, 57, 55, 97, 94, 93, 60}, "\x00\x07", "PXEClient:Arch:00007:UNDI:003000", dhcp.FlagBcast, "GRUB's firmware"},
	} {
		f, r := one(t, Config{Clients: mix(t, c.clients), Sequence: Guide}, nil)
		wantOK(t, r)
		msg := f.seen[c.message].msg
		var order []byte
		for i := dhcp.OptionsOff; msg[i] != dhcp.OptEnd; i += 2 + int(msg[i+1]) {
			order = append(order, msg[i])
		}
		var o dhcp.Options
		o.Parse(msg)
		arch, _ := o.Get(dhcp.OptClientArch)
		class, _ := o.Get(dhcp.OptVendorClass)
		if !slices.Equal(order, c.options) || string(arch) != c.arch || string(class) != c.class || dhcp.View(msg).Flags() != c.flag {
			t.Errorf("%s: options %v, architecture %x, class %q, flags %x", c.longName, order, arch, class, dhcp.View(msg).Flags())
		}
	}
}

// Nobody answers, or nobody acknowledges: the schedules of the clients.
func TestDHCPScheduleOfModels(t *testing.T) {
	f, r := one(t, Config{Clients: mix(t, "rom"), Sequence: DORA}, func(f *fixture) { f.mute = true })
	if got := f.times(dhcp.Discover); !slices.Equal(got, []int64{0, 4000, 12000, 28000}) {
		t.Errorf("a ROM sends DISCOVER at %v ms", got)
	}
	wantReason(t, r, "no OFFER after 4 DISCOVERs")

	// U-Boot: 250 ms, then doubling with 10 % more or less; past 28 s all over
	// again, for ever.
	f, r = one(t, Config{Clients: mix(t, "uboot"), Sequence: DORA, Limit: 60 * batch.Second}, func(f *fixture) { f.mute = true })
	wantReason(t, r, "not done after 60 s")
	got := f.times(dhcp.Discover)
	want := []int64{250, 500, 1000, 2000, 4000, 8000, 16000, 250}
	for i, w := range want {
		if len(got) < len(want)+1 {
			t.Fatalf("U-Boot sends DISCOVER at %v ms", got)
		}
		if d := got[i+1] - got[i]; d < w*9/10-1 || d > w*11/10+1 || (w == 250 && d != 250) {
			t.Errorf("U-Boot's wait %d is %d ms, want about %d", i, d, w)
		}
	}

	// After a REQUEST it waits 5 s and discovers anew.
	f, _ = one(t, Config{Clients: mix(t, "uboot"), Sequence: DORA, Limit: 6 * batch.Second}, func(f *fixture) {
		f.bend = func(to dhcp.Type, msg []byte, _ *address) []byte {
			if to == dhcp.Request {
				return nil
			}
			return msg
		}
	})
	if d, q := f.times(dhcp.Discover), f.times(dhcp.Request); !slices.Equal(d, []int64{0, 5000}) || len(q) != 2 {
		t.Errorf("U-Boot: DISCOVER at %v ms, REQUEST at %v ms", d, q)
	}
}

// A ROM takes an OFFER that names PXEClient at once; with any other it asks
// through its periods of 4 and 8 s.
func TestROMLooksForPXEClient(t *testing.T) {
	f, r := one(t, Config{Clients: mix(t, "rom"), Sequence: DORA, Waits: true}, nil)
	wantOK(t, r)
	if d, q := f.times(dhcp.Discover), f.times(dhcp.Request); !slices.Equal(d, []int64{0, 4000}) || !slices.Equal(q, []int64{12000}) || r.Repeated.Habit != 1 {
		t.Errorf("DISCOVER at %v ms, REQUEST at %v ms, %+v", d, q, r.Repeated)
	}
	f, r = one(t, Config{Clients: mix(t, "rom"), Sequence: DORA, Waits: true}, func(f *fixture) {
		f.bend = withOptions(append([]byte{60, 9}, "PXEClient"...))
	})
	wantOK(t, r)
	if q := f.times(dhcp.Request); !slices.Equal(q, []int64{0}) {
		t.Errorf("with PXEClient: REQUEST at %v ms", q)
	}
}

// Nobody answers a read request.
func TestRRQScheduleOfModels(t *testing.T) {
	var growing []int64 // GRUB: 400 ms, 420 ms, ...
	at := int64(0)
	for i := range int64(40) {
		growing = append(growing, at)
		at += 400 + 20*i
	}
	for _, c := range []struct {
		clients string
		want    []int64
	}{
		{"rom", []int64{0, 4000, 8000, 12000, 16000, 20000}},
		{"uboot", []int64{0, 5000, 10000, 15000, 20000, 25000, 30000, 35000, 40000, 45000, 50000}},
		{"edk2", []int64{0, 4000, 8000, 12000, 16000, 20000}},
		{"grub", growing},
	} {
		f, r := one(t, Config{Clients: mix(t, c.clients), Sequence: Kernel, Files: []string{"kernel"}}, func(f *fixture) {
			f.oack = func(name string, granted []byte) []byte {
				if strings.HasSuffix(name, "kernel") {
					return nil
				}
				return granted
			}
		})
		var got []int64
		for _, q := range f.requests {
			if strings.HasPrefix(strings.TrimLeft(q.text, "/"), "kernel") {
				got = append(got, q.at)
			}
		}
		for i := len(got) - 1; i >= 0; i-- {
			got[i] -= got[0]
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s sends RRQ at %v ms, want %v", c.clients, got, c.want)
		}
		wantReason(t, r, "fell silent at block 0")
	}
}

// What each model says to blocks ahead, behind and repeated; -1 for nothing.
func TestBlocksOutOfOrder(t *testing.T) {
	data := modelsContents().Lookup("kernel").Data
	type turn struct {
		number uint16
		ack    int
	}
	for _, c := range []struct {
		name   string
		who    client
		window int
		turns  []turn
	}{
		{"ROM", rom, 1, []turn{{1, 1}, {3, 1}, {3, 1}, {1, 1}, {2, 2}}},
		{"GRUB", grub, 1, []turn{{1, 1}, {3, -1}, {1, 1}, {2, 2}, {1, 1}, {2, 2}, {3, 3}}},
		{"U-Boot", uboot, 1, []turn{{1, 1}, {3, 1}, {3, -1}, {1, -1}, {2, 2}, {4, 2}, {2, -1}}},
		{"U-Boot, window 4", uboot, 4, []turn{{1, -1}, {3, 1}, {4, -1}, {2, -1}, {3, -1}, {4, -1}, {5, 5}}},
		{"loader", loader, 4, []turn{{1, -1}, {2, -1}, {4, 2}, {5, -1}, {6, -1}, {3, -1}, {4, -1}, {5, -1}, {6, 6}, {3, 6}, {4, -1}, {5, -1}, {6, 6}, {7, -1}}},
	} {
		s, n := reading(t, c.who, data, habits[c.who].blksize)
		n.file.window = c.window
		for i, step := range c.turns {
			s.out.Reset()
			n.data(0, step.number, block(data, habits[c.who].blksize, int(step.number)-1))
			if got := lastAck(t, s); got != step.ack {
				t.Errorf("%s, turn %d, block %d: ACK %d, want %d", c.name, i, step.number, got, step.ack)
			}
		}
	}
}

// GRUB never repeats an ACK: a server that falls silent has 31.6 s. Nor
// does it read without an OACK.
func TestGRUBWaits(t *testing.T) {
	c := Config{Clients: mix(t, "grub"), Sequence: Kernel, Files: []string{"kernel"}}
	_, r := one(t, c, func(f *fixture) {
		f.block = func(name string, number int, b []byte) []byte {
			if name == "/kernel" && number == 5 {
				return nil
			}
			return b
		}
	})
	wantReason(t, r, "/kernel: the server fell silent at block 4")
	if s := r.LastNode.Seconds(); s < 31.6 || s > 31.7 || r.Repeated.Ack != 0 {
		t.Errorf("it gives up after %v s, %d ACKs repeated", s, r.Repeated.Ack)
	}
	_, r = one(t, c, func(f *fixture) {
		f.oack = func(name string, granted []byte) []byte {
			if name == "/kernel" {
				return append([]byte{0, tftpData, 0, 1}, make([]byte, 512)...)
			}
			return granted
		}
	})
	wantReason(t, r, "DATA without an OACK")
}

// U-Boot looks for an ACK and overhears a NAK; a ROM gives up.
func TestNAKOfModels(t *testing.T) {
	nak := func(f *fixture) {
		f.bend = func(to dhcp.Type, msg []byte, _ *address) []byte {
			if to == dhcp.Request {
				msg[dhcp.OptionsOff+2] = byte(dhcp.Nak)
			}
			return msg
		}
	}
	_, r := one(t, Config{Clients: mix(t, "rom"), Sequence: DORA}, nak)
	wantReason(t, r, "NAK")
	f, r := one(t, Config{Clients: mix(t, "uboot"), Sequence: DORA, Limit: 6 * batch.Second}, nak)
	if d := f.times(dhcp.Discover); !slices.Equal(d, []int64{0, 5000}) || r.NAKs != 2 {
		t.Errorf("U-Boot: DISCOVER at %v ms, %d NAKs", d, r.NAKs)
	}
}
