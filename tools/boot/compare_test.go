package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bootstorm/proto"
	"bootstorm/proto/dhcp"
	"bootstorm/proto/tftp"
	"bootstorm/tools/guide"
)

// at adds frames that cross the wire at a time, in milliseconds.
func (w *wire) at(ms int64, add func()) {
	from := len(w.Records)
	add()
	for i := from; i < len(w.Records); i++ {
		w.Records[i].Time = 1e15 + ms*1e6
	}
}

func (w *wire) dhcp(kind dhcp.Type, class string) {
	b := make([]byte, 400)
	b[1], b[2] = 1, 6
	copy(b[28:34], mac[:])
	n := copy(b[236:], []byte{99, 130, 83, 99, 53, 1, byte(kind)})
	if class != "" {
		n += copy(b[236+n:], append([]byte{77, byte(len(class))}, class...))
	}
	b[236+n] = 255
	if kind == dhcp.Offer || kind == dhcp.Ack {
		b[0] = 2
		w.frame(proto.MAC{2}, mac, server, client, 67, 68, b)
		return
	}
	b[0] = 1
	w.frame(mac, proto.MAC{2}, 0, 0xffffffff, 68, 67, b)
}

// file sends a file of less than a block.
func (w *wire) file(port uint16, name string) {
	w.request(port, name)
	w.data(port, 1, []byte(name))
}

// wholeBoot is a boot with its points at times that tell them apart, and a size
// probe that the client breaks off.
func wholeBoot(t *testing.T) (*wire, string) {
	root := t.TempDir()
	for _, name := range guide.Files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	w := new(wire)
	w.at(5, func() { w.dhcp(dhcp.Discover, "") })
	w.at(6, func() { w.dhcp(dhcp.Offer, "") })
	w.at(3505, func() { w.dhcp(dhcp.Request, "") })
	w.at(3506, func() { w.dhcp(dhcp.Ack, "") })
	w.at(3600, func() {
		w.request(2000, "ipxe.efi")
		w.down(2000, tftp.AppendOption(tftp.AppendOpcode(nil, tftp.OpOack), []byte("tsize"), 8))
	})
	w.at(3605, func() { w.file(2001, "ipxe.efi") })
	w.at(9005, func() { w.dhcp(dhcp.Discover, "iPXE") })
	w.at(9105, func() { w.file(2002, "refind.pxe") })
	w.at(9205, func() { w.file(2003, "refind.conf") })
	w.at(9305, func() { w.file(2004, "refind_x64.efi") })
	return w, root
}

func TestMilestonesOfABoot(t *testing.T) {
	w, root := wholeBoot(t)
	var b Boot
	if err := b.measure(examine(w.capture()), root); err != nil {
		t.Fatal(err)
	}
	const ms = time.Millisecond
	if want := (Milestones{1 * ms, 3500 * ms, 3600 * ms, 3600 * ms, 9000 * ms, 9100 * ms, 9300 * ms}); b.At != want {
		t.Errorf("%+v, want %+v", b.At, want)
	}
	if b.DHCP != 5 || b.TFTP != 10 || b.Reads != 5 {
		t.Errorf("%d DHCP frames, %d of TFTP with %d requests; want 5, 10, 5", b.DHCP, b.TFTP, b.Reads)
	}
}

// A boot that did not get there has no times to compare, and other bytes are
// no boot.
func TestBootsThatAreNotWhole(t *testing.T) {
	w, root := wholeBoot(t)
	w.Records = w.Records[:len(w.Records)-1]
	var b Boot
	if err := b.measure(examine(w.capture()), root); err == nil || !strings.Contains(err.Error(), "last block of refind_x64.efi") {
		t.Errorf("without the last block: %v", err)
	}
	w, root = wholeBoot(t)
	if err := os.WriteFile(filepath.Join(root, "refind.conf"), []byte("refind.conF"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := b.measure(examine(w.capture()), root); err == nil || !strings.Contains(err.Error(), "refind.conf did not come whole") {
		t.Errorf("with another file: %v", err)
	}
	if err := new(Boot).measure(examine(new(wire).capture()), root); err == nil {
		t.Error("an empty capture is a boot")
	}
}

// Failed boots are named, and are in no median; the document is left alone.
func TestTableLeavesFailedBootsOut(t *testing.T) {
	c := Comparison{Runs: 3}
	for i, last := range []time.Duration{30, 10, 20} {
		c.Boots = append(c.Boots, Boot{Variant: "guide", Run: i + 1, At: Milestones{Refind: last * time.Second}, TFTP: 5},
			Boot{Variant: "bootstorm", Run: i + 1, At: Milestones{Refind: (last - 5) * time.Second}})
	}
	c.Boots = append(c.Boots, Boot{Variant: "bootstorm", Error: "no power", At: Milestones{Refind: time.Hour}})
	text := string(c.markdown())
	for _, want := range []string{"| dhcpd + tftpd-hpa | 0.0 ms |", "| 20.00 s |", "| 15.00 s |", "| 0 | 5 |", "Medians of 3 boots each"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	readme := filepath.Join(t.TempDir(), "README.md")
	before := "a\n" + blockBegin + "old\n" + blockEnd + "b\n"
	if err := os.WriteFile(readme, []byte(before), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.show(options{readme: readme}); err == nil || !strings.Contains(err.Error(), "1 of 7 boots failed") {
		t.Errorf("error %v", err)
	}
	c.Boots = c.Boots[:6]
	for _, want := range []string{before, "a\n" + blockBegin + string(c.markdown()) + blockEnd + "b\n"} {
		if got, err := os.ReadFile(readme); err != nil || string(got) != want {
			t.Errorf("%v, document\n%s\nwant\n%s", err, got, want)
		}
		if err := c.show(options{readme: readme}); err != nil {
			t.Error(err)
		}
	}
}

func TestChoose(t *testing.T) {
	if all, err := choose(""); err != nil || len(all) != len(variants) {
		t.Errorf("%d variants, %v", len(all), err)
	}
	if two, err := choose("bootstorm,guide"); err != nil || len(two) != 2 || !two[1].pair {
		t.Errorf("%+v, %v", two, err)
	}
	if _, err := choose("bootstrom"); err == nil || !strings.Contains(err.Error(), variantNames()) {
		t.Errorf("error %v, want one that names all", err)
	}
}

// What the README shows is what was measured last.
func TestReadmeShowsTheComparison(t *testing.T) {
	readme, err1 := os.ReadFile("../../README.md")
	text, err2 := os.ReadFile("compare.json")
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	var c Comparison
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	_, shown, _, ok := split(readme)
	if want := c.markdown(); !ok || !bytes.Equal(shown, want) {
		t.Errorf("README.md shows\n%s\nand the measurement says\n%s\nmake boot ARGS=\"--compare --from tools/boot/compare.json --readme README.md\" writes it anew", shown, want)
	}
}
