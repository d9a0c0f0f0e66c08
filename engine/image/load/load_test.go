package load

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"bootstorm/engine/image"
)

// root makes a directory with files; a name that ends in a slash is a
// directory. Their times lie in the past.
func root(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		put(t, filepath.Join(dir, name), text)
	}
	return dir
}

func put(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	if strings.HasSuffix(path, "/") {
		must(t, os.MkdirAll(path, 0o755))
		return
	}
	must(t, os.WriteFile(path, []byte(text), 0o644))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, o Options) (*image.Set, []Problem) {
	t.Helper()
	s, problems, err := Read(o, 1)
	must(t, err)
	return s, problems
}

// names a problem that must be there, by a part of its path and of its text.
func wantProblem(t *testing.T, problems []Problem, path, text string) {
	t.Helper()
	for _, p := range problems {
		if strings.Contains(p.Path, path) && strings.Contains(p.Text, text) {
			if p.Remedy == "" {
				t.Errorf("no remedy: %v", p)
			}
			return
		}
	}
	t.Errorf("no problem %q %q in %v", path, text, problems)
}

func content(t *testing.T, s *image.Set, name, want string) {
	t.Helper()
	i, ok := s.Lookup([]byte(name))
	if !ok || string(s.File(i).Data) != want {
		t.Errorf("%s: found %v, want %q", name, ok, want)
	}
}

func TestReadsATree(t *testing.T) {
	dir := root(t, map[string]string{"ipxe.efi": "program", "empty": "", "sub/deep/in.txt": "in", ".hidden": "dot", "ré.txt": "é"})
	must(t, os.Symlink("ipxe.efi", filepath.Join(dir, "link")))
	must(t, os.Symlink(filepath.Join(dir, "sub"), filepath.Join(dir, "absolute")))
	s, problems := read(t, Options{Root: dir})
	if len(problems) != 0 {
		t.Errorf("problems: %v", problems)
	}
	for name, want := range map[string]string{"ipxe.efi": "program", "empty": "", "sub/deep/in.txt": "in", ".hidden": "dot",
		"ré.txt": "é", "link": "program", "absolute/deep/in.txt": "in", dir + "/ipxe.efi": "program"} {
		content(t, s, name, want)
	}
	if s.Len() != 7 || s.Bytes() != int64(len("program")+len("in")+len("dot")+len("é")) {
		t.Errorf("%d files, %d bytes: linked files count once", s.Len(), s.Bytes())
	}
}

func TestNamesWhatIsNotServed(t *testing.T) {
	outside := root(t, map[string]string{"secret": "x"})
	dir := root(t, map[string]string{"private": "x", "closed/a": "x", "a\\b": "x", "Same": "1", "same": "2"})
	must(t, os.Chmod(filepath.Join(dir, "private"), 0o640))
	must(t, os.Chmod(filepath.Join(dir, "closed"), 0o750))
	must(t, os.Symlink(filepath.Join(outside, "secret"), filepath.Join(dir, "out")))
	must(t, os.Symlink("../"+filepath.Base(outside), filepath.Join(dir, "outdir")))
	must(t, os.Symlink("nowhere", filepath.Join(dir, "dangling")))
	must(t, os.Symlink(".", filepath.Join(dir, "loop")))
	must(t, os.Symlink("self", filepath.Join(dir, "self")))
	must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644))
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	must(t, err)
	defer syscall.Close(fd)
	must(t, os.Chdir(dir)) // socket paths are short
	must(t, syscall.Bind(fd, &syscall.SockaddrUnix{Name: "socket"}))

	s, problems := read(t, Options{Root: dir})
	for _, c := range [][2]string{{"private", "readable for everybody"}, {"closed", "searched by everybody"}, {"a\\b", "no request"},
		{"/out", "out of the root"}, {"outdir", "out of the root"}, {"dangling", "leads nowhere"}, {dir, "below itself"},
		{"self", "leads nowhere"}, {"fifo", "a FIFO"}, {"socket", "a socket"}, {"same", "only in case"}} {
		wantProblem(t, problems, c[0], c[1])
	}
	if s.Len() != 2 || len(problems) != 11 {
		t.Errorf("%d files; %d problems: %v", s.Len(), len(problems), problems)
	}
	content(t, s, "SAME", "1")
}

func TestLimitNamesWhatDoesNotFit(t *testing.T) {
	dir := root(t, map[string]string{"a": strings.Repeat("a", 60), "b": strings.Repeat("b", 60), "c": strings.Repeat("c", 30)})
	s, problems := read(t, Options{Root: dir, LimitBytes: 100})
	wantProblem(t, problems, "/b", "does not fit: 60 bytes, and of 100 allowed in memory 40 are left")
	if s.Len() != 2 || s.Bytes() != 90 || len(problems) != 1 {
		t.Errorf("%d files, %d bytes, %v", s.Len(), s.Bytes(), problems)
	}
	if half := Limit(0); half < 64<<20 || half > 1<<50 {
		t.Errorf("default limit %d", half)
	}
}

func TestUnchangedFilesAreShared(t *testing.T) {
	dir := root(t, map[string]string{"old": "old bytes", "new": "first"})
	past := time.Now().Add(-time.Hour)
	must(t, os.Chtimes(filepath.Join(dir, "old"), past, past))
	time.Sleep(fresh + 50*time.Millisecond) // st_ctim cannot be set back
	first, _ := read(t, Options{Root: dir})
	put(t, filepath.Join(dir, "new"), "other")
	second, problems := read(t, Options{Root: dir, Previous: first, LimitBytes: 14})
	if len(problems) != 0 {
		t.Fatal(problems)
	}
	content(t, second, "new", "other")
	content(t, first, "new", "first")
	if data(first, "old") != data(second, "old") {
		t.Error("an unchanged file was read again")
	}
	// A file so fresh that another write could leave its times alone is read
	// again.
	third, _ := read(t, Options{Root: dir, Previous: second})
	if data(third, "new") == data(second, "new") {
		t.Error("a fresh file was taken as unchanged")
	}
}

func data(s *image.Set, name string) *byte {
	i, _ := s.Lookup([]byte(name))
	return &s.File(i).Data[0]
}

func TestFallbackOnlyWhereTheRootLacksTheName(t *testing.T) {
	dir := root(t, map[string]string{"REFIND.CONF": "mine", "ipxe.efi": "mine", "private": "mine"})
	must(t, os.Chmod(filepath.Join(dir, "private"), 0o600))
	elsewhere := root(t, map[string]string{"program": "theirs"})
	s, problems := read(t, Options{Root: dir, Fallback: []File{
		{Name: "refind.conf", Data: []byte("built in")}, {Name: "refind.pxe", Data: []byte("built in")},
		{Name: "ipxe.efi", Paths: []string{elsewhere + "/program"}}, {Name: "private", Data: []byte("built in")},
		{Name: "refind_x64.efi", Paths: []string{elsewhere, elsewhere + "/none", elsewhere + "/program"}},
		{Name: "ipxe32.efi", Paths: []string{elsewhere + "/none"}, Remedy: "build it"},
	}})
	content(t, s, "refind.conf", "mine")
	content(t, s, "refind.pxe", "built in")
	content(t, s, "ipxe.efi", "mine")
	content(t, s, "refind_x64.efi", "theirs")
	wantProblem(t, problems, "ipxe32.efi", "neither in the root nor at "+elsewhere+"/none")
	wantProblem(t, problems, "private", "readable for everybody")
	if _, ok := s.Lookup([]byte("private")); ok {
		t.Error("a file of the root that may not be read was replaced by a built-in one")
	}
}

func TestRootThatIsMissing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	if _, _, err := Read(Options{Root: dir}, 1); err == nil {
		t.Error("no error for a root that is missing")
	}
	s, problems := read(t, Options{Root: dir, Fallback: Builtin()})
	content(t, s, "refind.conf", string(refindConf))
	wantProblem(t, problems, dir, "not a readable directory")
	file := filepath.Join(root(t, map[string]string{"f": "x"}), "f")
	if _, _, err := Read(Options{Root: file}, 1); err == nil {
		t.Error("no error for a root that is a file")
	}
}

// TestBuiltinFilesDoWhatTheGuidesDo holds the built-in texts to the guide's
// steps and directives.
func TestBuiltinFilesDoWhatTheGuidesDo(t *testing.T) {
	for _, c := range []struct {
		file  []byte
		steps []string
	}{
		{refindScript, []string{"#!ipxe\n", "iseq ${platform} efi", "imgfetch --name refind.conf tftp://${next-server}/refind.conf",
			"refind_x64.efi", "imgfetch --name refind tftp://${next-server}/", "chain refind", "sleep 10", "exit 1"}},
		{refindConf, []string{"\ntimeout 1\n", "\ndefault_selection 1\n", "\nhideui hwtest\n", "\nhideui hints\n", "\nbanner_scale\n",
			"\ntextonly\n", "\nscanfor internal\n", "\nuefi_deep_legacy_scan\n", "\nscan_delay 0\n"}},
	} {
		for _, s := range c.steps {
			if !bytes.Contains(c.file, []byte(s)) {
				t.Errorf("%q is missing", s)
			}
		}
		if bytes.ContainsAny(c.file, "\r\t") {
			t.Error("tabs or carriage returns")
		}
	}
	if !bytes.HasPrefix(refindScript, []byte("#!ipxe\n")) {
		t.Error("iPXE would not take it for a script")
	}
}

// TestFileThatChangesWhileItIsRead keeps a writer busy: what is served is one
// of the states that the file had, whole, or it is named.
func TestFileThatChangesWhileItIsRead(t *testing.T) {
	dir := root(t, map[string]string{"f": ""})
	path := filepath.Join(dir, "f")
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				_ = os.WriteFile(path, bytes.Repeat([]byte{byte('a' + i%26)}, 1+i%7*100_000), 0o644)
			}
		}
	}()
	for range 5 {
		s, problems := read(t, Options{Root: dir})
		if s.Len() == 0 {
			wantProblem(t, problems, "/f", "is being written to")
			continue
		}
		b := s.File(0).Data
		if len(b) > 0 && !bytes.Equal(b, bytes.Repeat(b[:1], len(b))) {
			t.Fatalf("%d bytes of several states", len(b))
		}
	}
	close(stop)
	<-done
	s, problems := read(t, Options{Root: dir})
	if s.Len() != 1 || len(problems) != 0 {
		t.Errorf("afterwards: %d files, %v", s.Len(), problems)
	}
}

// TestMemoryIsReturned drops a generation and looks at the process's resident
// memory.
func TestMemoryIsReturned(t *testing.T) {
	const size = 96 << 20
	dir := root(t, map[string]string{"big": strings.Repeat("x", size)})
	s, _ := read(t, Options{Root: dir})
	full := resident(t)
	if s.Bytes() != size {
		t.Fatalf("%d bytes", s.Bytes())
	}
	runtime.KeepAlive(s)
	s = nil
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		runtime.GC()
		if now := resident(t); now < full-size*3/4 {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("resident: %d MiB with the file, %d MiB without", full>>20, now>>20)
		}
	}
}

func resident(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	must(t, err)
	var pages int64
	for _, c := range bytes.Fields(b)[1] {
		pages = pages*10 + int64(c-'0')
	}
	return pages * int64(os.Getpagesize())
}
