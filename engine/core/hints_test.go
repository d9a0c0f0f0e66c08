package core

import (
	"testing"

	"bootstorm/engine/image"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
	"bootstorm/tools/allocs"
)

// ipxeSpace declares iPXE's option space as its documentation does.
const ipxeSpace = `
option space ipxe;
option ipxe-encap-opts code 175 = encapsulate ipxe;
option ipxe.priority code 1 = signed integer 8;
option ipxe.no-pxedhcp code 176 = unsigned integer 8;
`

// bootFiles are files of sizes around the limits of option 13.
func bootFiles() *image.Set {
	return image.Build(1, "/srv/tftp", []image.File{
		{Name: "ipxe.efi", Data: make([]byte, 850528)}, {Name: "even.efi", Data: make([]byte, 1024)}, {Name: "one.efi", Data: make([]byte, 1)},
		{Name: "empty.efi"}, {Name: "most.efi", Data: make([]byte, 65535*512)}, {Name: "more.efi", Data: make([]byte, 65535*512+1)}})
}

func hintWorld(t testing.TB, conf string) *world {
	c := smallConfig(buildPlan(t, conf))
	c.Files = bootFiles()
	return worldOf(t, c)
}

// hinted is the option of an OFFER and of the ACK after it, which must agree: the
// firmware and iPXE take their data from either.
func (w *world) hinted(m msg, code byte) string {
	w.t.Helper()
	o := w.ask(m)
	if o == nil || o.kind != dhcp.Offer {
		w.t.Fatal("no offer")
	}
	a := w.want(m.selecting(o.yiaddr), dhcp.Ack, o.yiaddr)
	if o.option(code) != a.option(code) || o.options.Has(code) != a.options.Has(code) {
		w.t.Errorf("OFFER % x, ACK % x", o.option(code), a.option(code))
	}
	return a.option(code)
}

// netboot is a subnet with a boot file and more statements.
func netboot(more string) string {
	return ipxeSpace + `subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.10 192.168.1.19; ` + more + ` }`
}

// TestNoProxyHint: the server's default for iPXE.
func TestNoProxyHint(t *testing.T) {
	const file = `filename "refind.pxe"; `
	silent := machine(1).with(dhcp.OptParameterList, 1, 3, 67, 175).with(dhcp.OptEncapsulatedIPXE, 0xb1, 1, 1) // no user class
	rfc3004 := machine(1).with(dhcp.OptParameterList, 175).with(dhcp.OptUserClass, 4, 'i', 'P', 'X', 'E')
	for _, c := range []struct {
		name, conf string
		m          msg
		want       string
	}{
		{"iPXE", file, machine(1).ipxe(), "\xb0\x01\x01"},
		{"iPXE by its sub-options", file, silent, "\xb0\x01\x01"},
		{"iPXE with a user class as RFC 3004 has it", file, rfc3004, "\xb0\x01\x01"},
		{"boot file in option 67", `option bootfile-name "refind.pxe";`, machine(1).ipxe(), "\xb0\x01\x01"},
		{"boot file on another server", file + "next-server 192.168.1.9;", machine(1).ipxe(), "\xb0\x01\x01"},
		{"joins what the file sets", file + "option ipxe.priority 5;", machine(1).ipxe(), "\x01\x01\x05\xb0\x01\x01"},
		{"gives way to the file", file + "option ipxe.no-pxedhcp 0;", machine(1).ipxe(), "\xb0\x01\x00"},
		{"boot-hints off", file + "boot-hints off;", machine(1).ipxe(), ""},
		{"boot-hints off, the file's own stays", file + "boot-hints off; option ipxe.no-pxedhcp 1;", machine(1).ipxe(), "\xb0\x01\x01"},
		{"boot-hints off for a class", file + `if option arch = 00:07 { boot-hints off; }`, machine(1).ipxe(), ""},
		{"no boot file: a proxy may have one", "", machine(1).ipxe(), ""},
		{"empty boot file", `filename "";`, machine(1).ipxe(), ""},
		{"firmware", file, machine(1).firmware(), ""},
		{"a system", file, machine(1).system(), ""},
		{"a system that asks for everything", file, machine(1), ""},
		{"a system that asks for it", file, machine(1).with(dhcp.OptParameterList, 1, 175), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := hintWorld(t, "option arch code 93 = unsigned integer 16;"+netboot(c.conf))
			if got := w.hinted(c.m, dhcp.OptEncapsulatedIPXE); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestBootSizeHint: the server's default for UEFI firmware.
func TestBootSizeHint(t *testing.T) {
	uefi := machine(1).firmware()
	bios := machine(1).with(dhcp.OptVendorClass, []byte("PXEClient:Arch:00000:UNDI:002001")...).with(dhcp.OptClientArch, 0, 0).
		with(dhcp.OptParameterList, 1, 13, 67)
	incurious := machine(1).with(dhcp.OptVendorClass, []byte("PXEClient:Arch:00007:UNDI:003000")...).with(dhcp.OptClientArch, 0, 7)
	for _, c := range []struct {
		name, conf string
		m          msg
		want       string
	}{
		{"rounded up", `filename "ipxe.efi";`, uefi, "\x06\x7e"}, // 850,528 bytes are 1661.2 units
		{"a whole number of units", `filename "even.efi";`, uefi, "\x00\x02"},
		{"the least", `filename "one.efi";`, uefi, "\x00\x01"},
		{"the most", `filename "most.efi";`, uefi, "\xff\xff"},
		{"too large to be said", `filename "more.efi";`, uefi, ""},
		{"an empty file", `filename "empty.efi";`, uefi, ""},
		{"a path as the client will ask for it", `filename "/srv/tftp/ipxe.efi";`, uefi, "\x06\x7e"},
		{"in option 67", `option bootfile-name "even.efi";`, uefi, "\x00\x02"},
		{"the same name twice", `filename "even.efi"; option bootfile-name "even.efi";`, uefi, "\x00\x02"},
		{"two names", `filename "ipxe.efi"; option bootfile-name "even.efi";`, uefi, ""},
		{"a file that is not there", `filename "other.efi";`, uefi, ""},
		{"no boot file", "", uefi, ""},
		{"another server has the file", `filename "ipxe.efi"; next-server 192.168.1.9;`, uefi, ""},
		{"a server named by name", `filename "ipxe.efi"; option tftp-server-name "x";`, uefi, ""},
		{"gives way to the file", `filename "ipxe.efi"; option boot-size 7;`, uefi, "\x00\x07"},
		{"boot-hints off", `filename "ipxe.efi"; boot-hints off;`, uefi, ""},
		{"firmware that does not ask", `filename "ipxe.efi";`, incurious, ""},
		{"a BIOS", `filename "ipxe.efi";`, bios, ""},
		{"iPXE", `filename "ipxe.efi";`, machine(1).ipxe().with(dhcp.OptParameterList, 13), ""},
		{"a system", `filename "ipxe.efi";`, machine(1).with(dhcp.OptParameterList, 1, 13), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := hintWorld(t, netboot(c.conf))
			if got := w.hinted(c.m, dhcp.OptBootSize); got != c.want {
				t.Errorf("% x, want % x", got, c.want)
			}
		})
	}
	w := newWorld(t, netboot(`filename "ipxe.efi";`)) // without files
	if got := w.hinted(uefi, dhcp.OptBootSize); got != "" {
		t.Errorf("a size out of nothing: % x", got)
	}
}

// TestHintsAreForOffersAndAcks: what else is sent carries none.
func TestHintsAreForOffersAndAcks(t *testing.T) {
	w := hintWorld(t, "authoritative;"+netboot(`filename "ipxe.efi";`))
	inform := machine(1).ipxe().of(dhcp.Inform)
	inform.ciaddr, inform.src = host(200), host(200)
	for name, m := range map[string]msg{"NAK": machine(1).ipxe().rebooting(proto.AddrOf(9, 9, 9, 9)), "INFORM": inform} {
		if a := w.ask(m); a == nil || a.options.Has(dhcp.OptEncapsulatedIPXE) {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// TestExplainNamesHints: what the server adds of its own accord can be told.
func TestExplainNamesHints(t *testing.T) {
	for _, c := range []struct {
		name, more string
		m          msg
		hints      Hints
		advert     bool
	}{
		{"iPXE", "", machine(1).ipxe(), HintNoProxy, true},
		{"iPXE behind a relay", "", machine(1).ipxe().relayed(host(200)), HintNoProxy, false},
		{"firmware", "", machine(1).firmware(), HintBootSize, false},
		{"a system", "", machine(1).system(), 0, false},
		{"switched off", "boot-hints off; ipv6-router-advertisement off;", machine(1).ipxe(), 0, false},
		{"no answer", "deny booting;", machine(1).ipxe(), 0, false},
	} {
		w := hintWorld(t, netboot(`filename "ipxe.efi"; `+c.more))
		if x := w.core.Explain(c.m.frame(), 0, w.now); x.Hints != c.hints || x.Advert != c.advert {
			t.Errorf("%s: %+v", c.name, x)
		}
	}
}

// TestNoAllocationForHints: the defaults cost no memory.
func TestNoAllocationForHints(t *testing.T) {
	w := hintWorld(t, netboot(`filename "ipxe.efi"; option ipxe.priority 5;`))
	frames := [][]byte{machine(1).firmware().frame(), machine(1).ipxe().frame(), machine(1).ipxe().selecting(host(10)).frame(),
		solicitFrame(mac(1)), solicitFrame(mac(2)), machine(2).ipxe().frame(), rrqFrame(mac(1))}
	if n := allocs.Of(func() { w.turn(frames, 1000) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if c := w.core.Counters(); c.Adverts == 0 || w.core.events.Lost != 0 {
		t.Errorf("%d advertisements", c.Adverts)
	}
}
