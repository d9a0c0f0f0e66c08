package load

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/core/transfer"
	"bootstorm/engine/image"
	"bootstorm/engine/plan"
	"bootstorm/proto"
)

// secret stands in every file outside of the root that a request could mean, and
// in those of the root that are not for everybody.
const secret = "SECRET"

// hostileRoot is a TFTP root with everything in it that can lead out of one, or
// hold up whoever reads it.
func hostileRoot(t *testing.T) (dir string) {
	t.Helper()
	base := t.TempDir()
	dir = filepath.Join(base, "root")
	for path, text := range map[string]string{
		"outside/file": secret, "root2/file": secret, "file": secret,
		"root/boot.efi": "fine", "root/sub/deep.efi": "fine", "root/sub/.hidden": "fine",
		"root/line\nbreak": "fine", "root/\x1b[2J\x1b]0;x\a": "fine", "root/\xff\xfe not utf-8": "fine", "root/100%25": "fine",
		"root/%2e%2e": "fine", "root/...": "fine", "root/ ": "fine", "root/~root": "fine", "root/$HOME": "fine",
		"root/" + strings.Repeat("n", 255): "fine", "root/a\\b": secret, "root/nobody": secret, "root/closed/file": secret,
	} {
		put(t, filepath.Join(base, path), text)
	}
	must(t, os.Chmod(filepath.Join(dir, "nobody"), 0))
	must(t, os.Chmod(filepath.Join(dir, "closed"), 0o700))
	for name, to := range map[string]string{
		"in": "boot.efi", "in-absolute": filepath.Join(dir, "boot.efi"), "in-round": "sub/../boot.efi", "in-dir": "sub",
		"out": "../outside/file", "out-absolute": filepath.Join(base, "outside/file"), "out-dir": "../outside", "out-neighbour": "../root2",
		"out-twice": "out", "out-by-way-of-in": "sub/../../file", "out-and-back": "../root/boot.efi", "passwd": "/etc/passwd",
		"proc": "/proc/self/root", "null": "/dev/null", "zero": "/dev/zero",
		"self": "self", "a": "b", "b": "a", "up": ".", "sub/up": "..", "dangling": "nowhere", "empty-way": "./././boot.efi",
	} {
		must(t, os.Symlink(to, filepath.Join(dir, name)))
	}
	must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644))
	must(t, os.Symlink("fifo", filepath.Join(dir, "to-fifo")))
	sparse(t, filepath.Join(dir, "sparse"), 1<<40)
	listen(t, filepath.Join(dir, "socket"))
	// Where devices may be made they are; null and zero above lead to some in any case.
	_ = syscall.Mknod(filepath.Join(dir, "device"), syscall.S_IFCHR|0o644, 1<<8|5)
	return dir
}

func sparse(t *testing.T, path string, size int64) {
	t.Helper()
	f, err := os.Create(path)
	must(t, err)
	must(t, f.Truncate(size))
	must(t, f.Close())
}

// listen binds a socket in the file system; its path must be short.
func listen(t *testing.T, path string) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	must(t, err)
	t.Cleanup(func() { syscall.Close(fd) })
	back, err := os.Getwd()
	must(t, err)
	must(t, os.Chdir(filepath.Dir(path)))
	must(t, syscall.Bind(fd, &syscall.SockaddrUnix{Name: filepath.Base(path)}))
	must(t, os.Chdir(back))
}

// A root full of traps is read without waiting, and what is not served is named
// in words that a terminal survives.
func TestHostileRootIsReadAndReported(t *testing.T) {
	dir := hostileRoot(t)
	start := time.Now()
	s, problems := read(t, Options{Root: dir, LimitBytes: 1 << 20})
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("reading took %v: something was waited for", took)
	}
	for _, c := range [][2]string{{"/out", "out of the root"}, {"/out-absolute", "out of the root"}, {"/out-dir", "out of the root"},
		{"/out-neighbour", "out of the root"}, {"/out-twice", "out of the root"}, {"/out-by-way-of-in", "out of the root"}, {"/passwd", "out of the root"},
		{"/proc", "out of the root"}, {"/null", "out of the root"}, {"/zero", "out of the root"}, {"/self", "leads nowhere"}, {"/a", "leads nowhere"},
		{"/b", "leads nowhere"}, {"/dangling", "leads nowhere"}, {"root", "below itself"}, {"/fifo", "a FIFO"}, {"/to-fifo", "a FIFO"}, {"/socket", "a socket"},
		{"/nobody", "readable for everybody"}, {"/closed", "searched by everybody"}, {`a\\b`, "no request"}, {"/sparse", "does not fit"}} {
		path := c[0]
		if path == `a\\b` {
			path = `a\b`
		}
		wantProblem(t, problems, path, c[1])
	}
	for _, p := range problems {
		if printable(p.String()) != p.String() {
			t.Errorf("not fit to print: %q", p.String())
		}
	}
	for i := range int32(s.Len()) {
		if f := s.File(i); string(f.Data) != "fine" {
			t.Errorf("%q is served: %.40q", f.Name, f.Data)
		}
	}
}

// node asks a server on the wire for files of a root.
type node struct {
	t     *testing.T
	table *transfer.Table
	tx    *batch.Tx
	ev    batch.Events
	now   int64
	port  uint16
}

var (
	ourMAC  = proto.MAC{2, 0, 0, 0, 0, 1}
	ourAddr = proto.AddrOf(192, 168, 1, 1)
)

func serve(t *testing.T, s *image.Set) *node {
	n := &node{t: t, table: transfer.New(transfer.Config{}), tx: batch.NewTx(), now: 1000 * batch.Second, port: 2000}
	n.table.SetLinks([]plan.Link{{Name: "eth0", MAC: ourMAC, MTU: 1500, Addrs: []plan.LinkAddr{{Addr: ourAddr, Mask: 0xffffff00}}}})
	n.table.SetFiles(s)
	return n
}

// ask sends a request as a whole frame and returns the first answer: the data of
// block 1, or the code of an ERROR. Whatever is sent goes to the address and port
// that asked.
func (n *node) ask(request []byte) (data []byte, code int) {
	n.t.Helper()
	n.port++
	n.now += batch.Millisecond // too little for anything to be repeated
	from := proto.AddrOf(192, 168, 1, byte(2+n.port%200))
	p := proto.Packet{Kind: proto.KindUDP, SrcMAC: proto.MAC{2, 0, 0, 0, 9, byte(n.port)}, DstMAC: ourMAC, Src: from, Dst: ourAddr,
		SrcPort: n.port, DstPort: proto.PortTFTP, Payload: request}
	n.table.Receive(n.now, &p, 0, transfer.Stranger, n.tx, &n.ev)
	n.table.Fill(n.now, n.tx, &n.ev)
	code = -1
	frames := 0
	for _, m := range n.tx.Messages[:n.tx.N] {
		for i := range m.Frames() {
			frames++
			var a proto.Packet
			if d := proto.ParseFrame(&a, m.AppendFrame(nil, i), true); d != proto.OK {
				n.t.Fatal(d)
			}
			if a.Dst != from || a.DstPort != n.port || a.DstMAC != p.SrcMAC || a.SrcPort != proto.PortTFTP || a.Src != ourAddr {
				n.t.Fatalf("%q: answered %v port %d", request, a.Dst, a.DstPort)
			}
			switch binary.BigEndian.Uint16(a.Payload) {
			case 3:
				data, code = a.Payload[4:], 0
			case 5:
				code = int(binary.BigEndian.Uint16(a.Payload[2:]))
			}
		}
	}
	if frames > 1 {
		n.t.Errorf("%q: %d frames for one request", request, frames)
	}
	n.tx.Sent(n.tx.N)
	n.ev.Reset()
	// Strangers who know of the transfer get nothing from it.
	p.Payload = []byte{0, 4, 0, 1}
	for _, other := range []func(){func() { p.SrcPort++ }, func() { p.SrcPort--; p.Src++ }} {
		other()
		n.table.Receive(n.now, &p, 0, transfer.Stranger, n.tx, &n.ev)
		n.table.Fill(n.now, n.tx, &n.ev)
		if n.tx.N != 0 {
			n.t.Fatalf("%q: somebody else was answered", request)
		}
	}
	return data, code
}

func rrq(name string) []byte { return fmt.Appendf(nil, "\x00\x01%s\x00octet\x00", name) }

// Every way out of the root that a name can take ends in "file not found", and
// whatever is served is a file of the root.
func TestNothingOutsideTheRootIsServed(t *testing.T) {
	dir := hostileRoot(t)
	s, _ := read(t, Options{Root: dir, LimitBytes: 1 << 20})
	n := serve(t, s)
	for _, name := range []string{"boot.efi", "/boot.efi", "//boot.efi", `\boot.efi`, "./boot.efi", "sub/deep.efi", `sub\deep.efi`, "BOOT.EFI", dir + "/boot.efi",
		"in", "in-absolute", "in-round", "in-dir/deep.efi", "out-and-back", "empty-way", "sub/.hidden", "line\nbreak", "\x1b[2J\x1b]0;x\a", "\xff\xfe not utf-8",
		"100%25", "%2e%2e", "...", " ", "~root", "$HOME", strings.Repeat("n", 255), strings.Repeat("./", 100) + "boot.efi", strings.Repeat("/", 200) + "boot.efi"} {
		if data, code := n.ask(rrq(name)); code != 0 || string(data) != "fine" {
			t.Errorf("%q: code %d, %.40q", name, code, data)
		}
	}
	base := filepath.Dir(dir)
	ways := []string{"..", "../", "../file", "../outside/file", "../root2/file", "/../file", "//../file", `..\file`, `\..\file`, `sub\..\..\file`, "sub/../../file",
		"sub/../boot.efi", "./../file", "././../file", "in-dir/../../file", "out", "out-dir/file", "out-neighbour/file", "out-twice", "out-by-way-of-in",
		"passwd", "proc/etc/passwd", "/etc/passwd", "etc/passwd", `\etc\passwd`, `C:\etc\passwd`, "file:///etc/passwd", "tftp://192.168.1.1/../file",
		base + "/file", base + "/outside/file", dir + "2/file", dir + "/../file", dir + "/../root2/file", dir, dir + "/", "", "/", ".", "./", "sub", "sub/",
		"%2e%2e/file", "%2e%2e%2ffile", "..%2ffile", "..%5cfile", "%252e%252e/file", "..%c0%affile", "..\xc0\xaffile", "\xc0\xae\xc0\xae/file", "..;/file", "....//file",
		".../file", ".. /file", "..\t/file", "..\n/file", " ../file", "../file ", "boot.efi/", "boot.efi/.", "boot.efi/..", "boot.efi/../../file", "a\\b", "a/b",
		"nobody", "closed/file", "fifo", "to-fifo", "socket", "device", "null", "zero", "self", "a", "up", "up/boot.efi", "sub/up", "dangling", "sparse",
		"~root/.profile", "$HOME/file", "`id`", "|id", "*", "boot.*", "?oot.efi", "boot.ef[i]", "{boot,x}.efi", "con", "nul", "boot.efi::$DATA", "boot.efi.", "boot.efi~",
		strings.Repeat("n", 256), strings.Repeat("../", 150) + "etc/passwd", strings.Repeat("a/", 250), strings.Repeat("A", 400)}
	for _, name := range ways {
		if data, code := n.ask(rrq(name)); code != 1 {
			t.Errorf("%q: code %d, %.40q", name, code, data)
		}
	}
	// What is no request at all gets an ERROR or silence, and no file.
	for _, request := range [][]byte{[]byte("\x00\x01../file\x00.efi\x00octet\x00"), []byte("\x00\x01../file"), []byte("\x00\x01../file\x00"), []byte("\x00\x01\x00\x00"),
		[]byte("\x00\x01../file\x00mail\x00"), []byte("\x00\x02boot.efi\x00octet\x00"), []byte("\x00\x02../file\x00octet\x00"), []byte("\x00\x01"),
		rrq(strings.Repeat("A", 600)), rrq(strings.Repeat("../", 400)), append(rrq("../file"), strings.Repeat("blksize\x009\x00", 60)...)} {
		if data, code := n.ask(request); code == 0 {
			t.Errorf("%q: served %.40q", request, data)
		}
	}
	t.Logf("%d names that are none, none served", len(ways))
}

// The NUL byte ends a name: what stands behind it is another field.
func TestNameEndsAtItsNUL(t *testing.T) {
	dir := root(t, map[string]string{"boot.efi": "fine"})
	s, _ := read(t, Options{Root: dir})
	n := serve(t, s)
	if _, code := n.ask([]byte("\x00\x01boot.efi\x00../../etc/passwd\x00octet\x00")); code != 4 {
		t.Errorf("code %d, want 4: the mode is unknown", code)
	}
	if data, code := n.ask([]byte("\x00\x01boot.efi\x00octet\x00../../etc/passwd\x00x\x00")); code != 0 || string(data) != "fine" {
		t.Errorf("an unknown option changed what is served: code %d, %q", code, data)
	}
}

// A directory that is replaced by a link out of the root between looking and
// reading leads nowhere.
func TestDirectoryThatBecomesALinkIsNotFollowed(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "root")
	put(t, filepath.Join(dir, "sub/file"), "fine")
	put(t, filepath.Join(base, "outside/file"), secret)
	w, err := walk(dir)
	must(t, err)
	must(t, os.Rename(filepath.Join(dir, "sub"), filepath.Join(base, "away")))
	must(t, os.Symlink("../outside", filepath.Join(dir, "sub")))
	r := newReader(1<<20, nil)
	r.root, err = os.OpenRoot(dir)
	must(t, err)
	defer r.root.Close()
	for _, f := range w.found {
		r.add(f)
	}
	if len(r.files) != 0 {
		t.Errorf("served: %q", r.files[0].Data)
	}
	wantProblem(t, r.problems, "sub/file", "cannot be read")
}

// A file that is replaced by a FIFO in the same moment holds nobody up.
func TestFileThatBecomesAFIFOIsNotWaitedFor(t *testing.T) {
	dir := root(t, map[string]string{"file": "fine"})
	w, err := walk(dir)
	must(t, err)
	must(t, os.Remove(filepath.Join(dir, "file")))
	must(t, syscall.Mkfifo(filepath.Join(dir, "file"), 0o644))
	r := newReader(1<<20, nil)
	for _, f := range w.found {
		r.add(f)
	}
	wantProblem(t, r.problems, "/file", "cannot be read")
}
