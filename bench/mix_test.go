package bench

import (
	"slices"
	"strings"
	"testing"
)

func TestParseMix(t *testing.T) {
	for text, want := range map[string][]client{
		"edk2":                    {edk2},
		"rom=1,uboot=1":           {rom, uboot},
		"edk2=3,grub=1":           {edk2, edk2, grub, edk2},
		"rom,edk2=0":              {rom},
		"edk2=2,rom,grub,uboot=0": {edk2, rom, grub, edk2},
	} {
		m, err := ParseMix(text)
		if err != nil || len(m.cycle) != len(want) {
			t.Errorf("%s: %v, %v", text, m.cycle, err)
			continue
		}
		var got, wanted [clients]int
		for i := range want {
			got[m.of(i)]++
			wanted[want[i]]++
		}
		if got != wanted {
			t.Errorf("%s: %v, want %v in any order", text, m.cycle, want)
		}
	}
	for _, bad := range []string{"", "pxe=3", "edk2=x", "edk2=-1", "edk2=0", "rom=1000000", "edk2=1,,rom=1"} {
		if m, err := ParseMix(bad); err == nil {
			t.Errorf("%q is read as %v", bad, m.cycle)
		}
	}
}

// iPXE of a BIOS goes its own way through a script.
func TestBIOSWayThroughScript(t *testing.T) {
	text := []byte("#!ipxe\niseq ${platform} pcbios && goto bios ||\nchain tftp://${next-server}/kernel\n:bios\nchain tftp://${next-server}/initrd\n")
	for clients, want := range map[string]string{"edk2": "kernel", "rom": "initrd"} {
		f, r := one(t, Config{Clients: mix(t, clients), Sequence: Guide}, func(f *fixture) {
			f.files = NewContents(append(slices.Collect(mapValues(f.files.files)), &File{Name: "refind.pxe", Data: text})...)
		})
		wantOK(t, r)
		if last := f.requests[len(f.requests)-1].text; !strings.HasPrefix(last, want+" ") {
			t.Errorf("%s reads %q, want %s", clients, last, want)
		}
	}
}

// mapValues yields the files but the script.
func mapValues(m map[string]*File) func(func(*File) bool) {
	return func(yield func(*File) bool) {
		for name, f := range m {
			if name != "refind.pxe" && !yield(f) {
				return
			}
		}
	}
}
