package pcap

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bootstorm/engine/batch"
)

// sample is a capture of three frames, one of them cut.
func sample() *Capture {
	c := conversation(fromClient(69, []byte("\x00\x01a\x00octet\x00")), fromServer(4000, []byte("\x00\x03\x00\x01hello")), fromClient(4000, []byte("\x00\x04\x00\x01")))
	c.Records[1].Data = c.Records[1].Data[:46]
	return c
}

// written returns a capture as a file.
func written(t *testing.T, c *Capture, next, nano bool) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, next, nano)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Records {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// swapped turns a little-endian classic file into a big-endian one.
func swapped(b []byte) []byte {
	b = bytes.Clone(b)
	swap := func(at, n int) {
		for i, j := at, at+n-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
	for _, f := range [][2]int{{0, 4}, {4, 2}, {6, 2}, {8, 4}, {12, 4}, {16, 4}, {20, 4}} {
		swap(f[0], f[1])
	}
	for at := classicHead; at < len(b); {
		n := int(binary.LittleEndian.Uint32(b[at+8:]))
		for k := range 4 {
			swap(at+4*k, 4)
		}
		at += recordHead + n
	}
	return b
}

func TestReadFormats(t *testing.T) {
	c := sample()
	c.Records[2].Time += 5 // microsecond files cannot hold this
	for _, k := range []struct {
		name       string
		file       []byte
		next, nano bool
	}{
		{"classic, microseconds", written(t, c, false, false), false, false},
		{"classic, nanoseconds", written(t, c, false, true), false, true},
		{"classic, microseconds, big endian", swapped(written(t, c, false, false)), false, false},
		{"classic, nanoseconds, big endian", swapped(written(t, c, false, true)), false, true},
		{"pcapng", written(t, c, true, true), true, true},
	} {
		t.Run(k.name, func(t *testing.T) {
			got, err := Read(k.file)
			if err != nil {
				t.Fatal(err)
			}
			want := &Capture{Records: append([]Record(nil), c.Records...)}
			if !k.nano {
				want.Records[2].Time -= 5
			}
			if !equalRecords(got, want) || got.Next != k.next || got.Nanosecond != k.nano || len(got.Warnings) > 0 {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// A capture that was stopped in the middle of a record loses that record only.
func TestReadCutOff(t *testing.T) {
	for _, next := range []bool{false, true} {
		file := written(t, sample(), next, true)
		whole, err := Read(file)
		if err != nil {
			t.Fatal(err)
		}
		last := len(whole.Records) - 1
		start := len(written(t, &Capture{Records: whole.Records[:last]}, next, true))
		for n := start; n <= len(file); n++ {
			got, err := Read(file[:n])
			if err != nil {
				t.Fatalf("pcapng %v, %d of %d bytes: %v", next, n, len(file), err)
			}
			records, warnings := last, 1
			switch n {
			case start:
				warnings = 0
			case len(file):
				records, warnings = last+1, 0
			}
			if len(got.Records) != records || len(got.Warnings) != warnings {
				t.Fatalf("pcapng %v, %d of %d bytes: %d records, warnings %v", next, n, len(file), len(got.Records), got.Warnings)
			}
		}
	}
}

func TestReadRefuses(t *testing.T) {
	classic := written(t, sample(), false, false)
	cooked := bytes.Clone(classic)
	cooked[20] = 113 // LINKTYPE_LINUX_SLL
	version := bytes.Clone(classic)
	version[4] = 9
	next := written(t, sample(), true, true)
	order := bytes.Clone(next)
	order[8] = 0
	resolution := []byte("\n\r\r\nD\x00\x00\x00M<+\x1a\x01\x00\x00\x000000000000 \x00A000000000000000000000000000000000\x00\x000000\x01\x00\x00\x000\x00\x00\x0000000000\t\x00\x00\x00\x00\x00\x00\x0000000000000000000000000000000000")
	longer := bytes.Clone(classic)
	longer[classicHead+12] = 3 // fewer bytes on the wire than captured
	for _, k := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "shorter than its magic number"},
		{"text", []byte("hello, world"), "not a capture file"},
		{"gzip", []byte{0x1f, 0x8b, 8, 0}, "gzip"},
		{"captured on any", cooked, `not on "any"`},
		{"another version", version, "damaged"},
		{"header of a classic file cut off", classic[:20], "damaged"},
		{"header of a pcapng file cut off", next[:10], "not complete"},
		{"no byte order in a pcapng file", order, "damaged"},
		{"a time resolution of zero", resolution, "damaged"},
		{"more captured than sent", longer, "record 1"},
	} {
		t.Run(k.name, func(t *testing.T) {
			if _, err := Read(k.file); err == nil || !strings.Contains(err.Error(), k.want) {
				t.Errorf("error %v, want one with %q", err, k.want)
			}
		})
	}
}

// A frame that claims to be longer than its block is not allocated.
func TestReadHugeFrame(t *testing.T) {
	file := written(t, sample(), true, true)
	start := len(written(t, &Capture{}, true, true))
	binary.LittleEndian.PutUint32(file[start+20:], 1<<31)
	c, err := Read(file)
	if err != nil || len(c.Records) != 0 || len(c.Warnings) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	w, _ := NewWriter(&b, true, true)
	_ = w.Write(sample().Records[0])
	_ = w.Close()
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := Read(file)
		if err != nil {
			return
		}
		for i := range c.Records {
			if r := &c.Records[i]; r.Length < len(r.Data) || keep(r.Data) > len(r.Data) {
				t.Fatalf("record %d: %d bytes of %d, %d kept", i, len(r.Data), r.Length, keep(r.Data))
			}
		}
	})
}

func TestFiles(t *testing.T) {
	folder := t.TempDir()
	c := sample()
	for _, name := range []string{"a.pcap", "a.pcapng"} {
		path := filepath.Join(folder, name)
		if err := c.WriteFile(path); err != nil {
			t.Fatal(err)
		}
		got, err := ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != name || got.Next != strings.HasSuffix(name, "ng") || !equalRecords(got, c) {
			t.Errorf("%s: read back %+v", name, got)
		}
	}
	if _, err := ReadFile(filepath.Join(folder, "missing.pcap")); !os.IsNotExist(err) {
		t.Errorf("a missing file gives %v", err)
	}
	if err := c.WriteFile(filepath.Join(folder, "no", "a.pcap")); err == nil {
		t.Error("a file was written into a folder that does not exist")
	}
	bad := filepath.Join(folder, "bad.pcap")
	if err := os.WriteFile(bad, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(bad); err == nil || !strings.Contains(err.Error(), bad) {
		t.Errorf("a bad file gives %v: it should be named", err)
	}
}

// The frames of a file are in the order of the file, with times that a replay
// can subtract.
func TestTimes(t *testing.T) {
	c := testdata(t, "uefi-x64-guide.pcap")
	n := testdata(t, "uefi-x64-guide.pcapng")
	if len(c.Records) != 1651 || len(n.Records) != 1651 {
		t.Fatalf("%d and %d frames, want 1651", len(c.Records), len(n.Records))
	}
	if d := c.Records[1650].Time - c.Records[0].Time; d < 34*batch.Second || d > 35*batch.Second {
		t.Errorf("the capture spans %d ns, want 34.6 s", d)
	}
	if !equalRecords(c, n) {
		t.Error("the pcap and the pcapng file of the same capture differ")
	}
}
