package image

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func set(names ...string) *Set {
	var files []File
	for _, n := range names {
		files = append(files, File{Name: n, Data: []byte("<" + n + ">")})
	}
	return Build(7, "/srv/tftp", files)
}

func TestLookup(t *testing.T) {
	s := set("refind.conf", "Boot/BCD", "boot/bcd.log", "sub/in.txt", "srv/tftp/odd", "ré.txt", ".hidden", "a..b", "UPPER", "upper",
		"Mixed/Name", "x64/.../dots", strings.Repeat("n", MaxName))
	for _, c := range []struct{ ask, want string }{ // want "": not found
		{"refind.conf", "refind.conf"}, {"/refind.conf", "refind.conf"}, {"//refind.conf", "refind.conf"},
		{"./refind.conf", "refind.conf"}, {"/././/refind.conf", "refind.conf"}, {"sub/./in.txt", "sub/in.txt"},
		{`\refind.conf`, "refind.conf"}, {`\sub\in.txt`, "sub/in.txt"}, {`sub\/in.txt`, "sub/in.txt"},
		{"sub//in.txt", "sub/in.txt"},
		{"/srv/tftp/refind.conf", "refind.conf"}, {"srv/tftp/refind.conf", "refind.conf"}, {"//srv//tftp/sub/in.txt", "sub/in.txt"},
		{"/SRV/tftp/refind.conf", ""}, {"/srv/tftp/odd", "srv/tftp/odd"}, {"/srv/tftp/srv/tftp/odd", "srv/tftp/odd"},
		{"/srv/tftp", ""}, {"/srv/tftp/", ""}, {"/srv/tftpx/refind.conf", ""}, {"/srv/tftp/srv/tftp/refind.conf", ""},
		{"REFIND.CONF", "refind.conf"}, {`\Boot\BCD`, "Boot/BCD"}, {`\boot\bcd`, "Boot/BCD"}, {"/srv/tftp/REFIND.conf", "refind.conf"},
		{"upper", "upper"}, {"UPPER", "UPPER"}, {"Upper", "UPPER"}, {"mixed/name", "Mixed/Name"},
		{"../refind.conf", ""}, {"sub/../refind.conf", ""}, {"..", ""}, {"/..", ""}, {`..\refind.conf`, ""}, {`sub\..\refind.conf`, ""},
		{"sub/..", ""}, {"a..b", "a..b"}, {"x64/.../dots", "x64/.../dots"}, {"/etc/passwd", ""}, {"/srv/tftp/../tftp/refind.conf", ""},
		{"", ""}, {".", ""}, {"/", ""}, {"//", ""}, {"./", ""}, {"sub", ""}, {"sub/", ""}, {"refind.conf/", ""}, {"refind.conf/.", ""},
		{"ré.txt", "ré.txt"}, {"RÉ.TXT", ""}, {".hidden", ".hidden"}, {"refind.conf\r\n", ""}, {"refind.conf ", ""}, {"refind", ""},
		{strings.Repeat("n", MaxName), strings.Repeat("n", MaxName)}, {strings.Repeat("n", MaxName+1), ""},
		{"/" + strings.Repeat("n", MaxName), strings.Repeat("n", MaxName)},
		{strings.Repeat("/", 3000) + "refind.conf", "refind.conf"}, {strings.Repeat("a/", 400), ""}, {strings.Repeat("a/", 255) + "bb/c", ""},
	} {
		i, ok := s.Lookup([]byte(c.ask))
		switch {
		case ok != (c.want != ""):
			t.Errorf("%.40q: found %v", c.ask, ok)
		case ok && s.File(i).Name != c.want:
			t.Errorf("%.40q: got %q, want %q", c.ask, s.File(i).Name, c.want)
		}
	}
}

func TestRoots(t *testing.T) {
	for _, c := range []struct {
		root, ask string
		ok        bool
	}{
		{"/", "/f", true}, {"", "/f", true}, {"/srv/tftp/", "/srv/tftp/f", true}, {"/srv//tftp", "/srv/tftp/f", true},
		{"/srv/tftp", "/srv/f", false}, {"/a/../b", "/b/f", false},
	} {
		s := Build(1, c.root, []File{{Name: "f"}})
		if _, ok := s.Lookup([]byte(c.ask)); ok != c.ok {
			t.Errorf("root %q, %q: %v", c.root, c.ask, ok)
		}
	}
}

func TestBuild(t *testing.T) {
	shared := []byte("shared")
	s := Build(3, "/r", []File{{Name: "b", Data: []byte("1")}, {Name: "a", Data: shared}, {Name: "b", Data: []byte("22")},
		{Name: "link", Data: shared}, {Name: "empty"}, {Name: strings.Repeat("x", MaxName+1)}})
	if s.Len() != 4 || s.Bytes() != 7 || s.Generation != 3 || s.Root != "/r" {
		t.Errorf("%d files, %d bytes, generation %d, root %q", s.Len(), s.Bytes(), s.Generation, s.Root)
	}
	if i, _ := s.Lookup([]byte("b")); string(s.File(i).Data) != "1" {
		t.Error("of two files with one name the first counts")
	}
	for i := range int32(s.Len() - 1) {
		if s.File(i).Name >= s.File(i+1).Name {
			t.Errorf("%q stands before %q", s.File(i).Name, s.File(i+1).Name)
		}
	}
	if _, ok := Build(1, "/r", nil).Lookup([]byte("a")); ok {
		t.Error("an empty set has a file")
	}
}

func TestNetasciiSize(t *testing.T) {
	for text, want := range map[string]int64{"": 0, "a": 1, "\n": 2, "\r": 2, "\r\n": 4, "a\nb\r\n\x00": 9} {
		if got := NetasciiSize([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
		if f := Build(1, "/", []File{{Name: "f", Data: []byte(text)}}).File(0); f.NetasciiSize != want {
			t.Errorf("%q: Build has %d", text, f.NetasciiSize)
		}
	}
}

// TestManyFiles checks every name of a large set, and as many that are absent,
// in both cases.
func TestManyFiles(t *testing.T) {
	var names []string
	for i := range 5000 {
		names = append(names, fmt.Sprintf("Dir%d/file-%d.Img", i%17, i))
	}
	s := set(names...)
	for _, n := range names {
		for _, ask := range []string{n, strings.ToUpper(n), "/" + strings.ToLower(n)} {
			if i, ok := s.Lookup([]byte(ask)); !ok || s.File(i).Name != n {
				t.Fatalf("%q: %v", ask, ok)
			}
		}
		if _, ok := s.Lookup([]byte(n + "x")); ok {
			t.Fatalf("%qx was found", n)
		}
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	s := set("refind.conf", "a/long/path/of/directories/that/does/not/fit/into/thirty-two/bytes/file")
	asks := [][]byte{[]byte("/refind.conf"), []byte("/SRV/TFTP/none"), []byte(`\A\long\path\of\directories\that\does\not\fit\into\thirty-two\bytes\file`),
		[]byte("../x"), bytes.Repeat([]byte("x"), 1400)}
	if n := testing.AllocsPerRun(1, func() {
		for range 1000 {
			for _, a := range asks {
				s.Lookup(a)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzLookup: what is found is in the set under the name asked for, folded, and
// no name with a ".." component finds anything.
func FuzzLookup(f *testing.F) {
	for _, n := range []string{"refind.conf", "/srv/tftp/sub/in.txt", `..\x`, "a/../b", "SUB\\IN.TXT", "./", strings.Repeat("a/", 300)} {
		f.Add([]byte(n))
	}
	s := set("refind.conf", "sub/in.txt", "a/b", "b", "..a", "x")
	f.Fuzz(func(t *testing.T, name []byte) {
		i, ok := s.Lookup(name)
		if !ok {
			return
		}
		slashed := bytes.ReplaceAll(bytes.ToLower(name), []byte(`\`), []byte("/"))
		for _, part := range bytes.Split(slashed, []byte("/")) {
			if string(part) == ".." {
				t.Fatalf("%q found %q", name, s.File(i).Name)
			}
		}
		if !bytes.HasSuffix(bytes.ReplaceAll(bytes.ReplaceAll(slashed, []byte("/./"), []byte("/")), []byte("//"), []byte("/")),
			[]byte(s.File(i).Name[strings.LastIndexByte(s.File(i).Name, '/')+1:])) {
			t.Fatalf("%q found %q", name, s.File(i).Name)
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	s := set("ipxe.efi", "refind.pxe", "refind.conf", "refind_x64.efi")
	name := []byte("/refind_x64.efi")
	for b.Loop() {
		s.Lookup(name)
	}
}
