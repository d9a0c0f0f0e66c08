package clients

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"bootstorm/tools/lab"
)

// tftpSite is a site with a client that has an address, and files to read.
func tftpSite(t *testing.T) (*site, *lab.Host) {
	t.Helper()
	s := newSite(t, subnet(600, ""))
	for name, size := range fileSizes {
		s.write("root/"+name, string(pattern(size)))
	}
	s.write("root/text.txt", "one\ntwo\r\nthree\n")
	s.must(os.Mkdir(s.path("root/sub"), 0o755))
	s.write("root/sub/inner.txt", "inside\n")
	s.write("secret.txt", "not for you\n")
	s.serve()
	c := s.client("c1", macOf(1))
	s.must(c.IP("addr add 192.168.1.10/24 dev eth0"))
	return s, c
}

// fileSizes are files around the edges of blocks, and one of several windows.
var fileSizes = map[string]int{"empty.bin": 0, "one.bin": 1, "short.bin": 511, "block.bin": 512, "long.bin": 513,
	"window.bin": 64 * 1428, "big.bin": 3_000_001}

func pattern(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16*7)
	}
	return b
}

// get is one run of a client that reads or writes a file.
type get struct {
	name   string
	args   []string // IN is the directory for what arrives
	status int      // -1: any but 0
	says   string   // in the client's output
	file   string   // below IN, "" if nothing may have arrived
	want   string   // name below the root with the same bytes
}

// run runs the cases of a client, each with a directory of its own.
func (s *site) run(c *lab.Host, cases []get) {
	for i, g := range cases {
		s.Run(g.name, func(t *testing.T) {
			in := s.path(fmt.Sprintf("%s%d", g.args[0], i))
			if err := os.Mkdir(in, 0o755); err != nil {
				t.Fatal(err)
			}
			args := []string{"sh", "-c", `cd "$0" && exec "$@"`, in}
			for _, a := range g.args {
				args = append(args, strings.ReplaceAll(a, "IN", in))
			}
			status, out, err := c.Run(4*patience, args...)
			if err != nil {
				t.Fatal(err)
			}
			if status != g.status && (g.status >= 0 || status == 0) || !strings.Contains(out, g.says) {
				t.Errorf("status %d, want %d and %q in:\n%s", status, g.status, g.says, out)
			}
			s.compare(t, in, g)
		})
	}
}

// compare looks at what has arrived.
func (s *site) compare(t *testing.T, in string, g get) {
	t.Helper()
	if g.file == "" {
		entries, err := os.ReadDir(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries { // some clients create the file before they ask
			if b, _ := os.ReadFile(in + "/" + e.Name()); len(b) != 0 {
				t.Errorf("%s arrived: %d bytes", e.Name(), len(b))
			}
		}
		return
	}
	got, err := os.ReadFile(in + "/" + g.file)
	want := []byte(s.read("root/" + g.want))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want the %d of %s, %v", len(got), len(want), g.want, err)
	}
}

const host = "192.168.1.1"

func TestTftpHpa(t *testing.T) {
	s, c := tftpSite(t)
	octet := func(file string) []string { return []string{"tftp", "-m", "octet", host, "-c", "get", file} }
	cases := []get{
		{name: "netascii", args: []string{"tftp", host, "-c", "get", "text.txt"}, file: "text.txt", want: "text.txt"},
		{name: "leading slash", args: []string{"tftp", "-m", "octet", host, "-c", "get", "/one.bin", "x"}, file: "x", want: "one.bin"},
		{name: "folder", args: []string{"tftp", "-m", "octet", host, "-c", "get", "sub/inner.txt", "x"}, file: "x", want: "sub/inner.txt"},
		{name: "missing", args: octet("missing.efi"), says: "Error code 1"},
		{name: "above the root", args: []string{"tftp", "-m", "octet", host, "-c", "get", "../secret.txt", "x"}, says: "Error code"},
		{name: "far above the root", args: []string{"tftp", "-m", "octet", host, "-c", "get", "../../../../../etc/passwd", "x"}, says: "Error code"},
		{name: "absolute", args: []string{"tftp", "-m", "octet", host, "-c", "get", "/etc/passwd", "x"}, says: "Error code 1"},
		{name: "write", args: []string{"tftp", "-m", "octet", host, "-c", "put", "/etc/hostname", "one.bin"}, says: "Error code 2"},
	}
	for _, file := range []string{"empty.bin", "one.bin", "short.bin", "block.bin", "long.bin", "big.bin"} {
		cases = append(cases, get{name: file, args: octet(file), file: file, want: file})
	}
	s.run(c, cases)
	if got := s.read("root/one.bin"); got != string(pattern(1)) {
		t.Errorf("a file was overwritten: %q", got)
	}
}

func TestAtftp(t *testing.T) {
	s, c := tftpSite(t)
	with := func(file string, options ...string) []string {
		args := []string{"atftp", "-g", "-r", file, "-l", "IN/got"}
		for _, o := range options {
			args = append(args, "--option", o)
		}
		return append(args, host)
	}
	cases := []get{
		{name: "plain", args: with("block.bin"), file: "got", want: "block.bin"},
		{name: "blksize and tsize", args: with("big.bin", "blksize 1428", "tsize"), file: "got", want: "big.bin"},
		{name: "windowsize", args: with("window.bin", "blksize 1428", "windowsize 8"), file: "got", want: "window.bin"},
		{name: "largest window", args: with("big.bin", "blksize 1468", "windowsize 64"), file: "got", want: "big.bin"},
		{name: "window beyond the limit", args: with("big.bin", "blksize 512", "windowsize 200"), file: "got", want: "big.bin"},
		{name: "blksize beyond the MTU", args: with("big.bin", "blksize 8192"), file: "got", want: "big.bin"},
		{name: "smallest blksize", args: with("long.bin", "blksize 8"), file: "got", want: "long.bin"},
		{name: "timeout", args: with("long.bin", "timeout 2"), file: "got", want: "long.bin"},
		{name: "multicast is not understood", args: with("long.bin", "multicast"), file: "got", want: "long.bin"},
		{name: "empty", args: with("empty.bin", "blksize 1428", "windowsize 8"), file: "got", want: "empty.bin"},
		{name: "missing", args: with("missing.efi"), status: -1, says: "not found"},
		{name: "above the root", args: with("../secret.txt"), status: -1},
		{name: "write", args: []string{"atftp", "-p", "-l", "/etc/hostname", "-r", "up.txt", host}, status: -1},
	}
	s.run(c, cases)
}

func TestCurl(t *testing.T) {
	s, c := tftpSite(t)
	url := func(path string, more ...string) []string {
		return append(append([]string{"curl", "-sS", "--path-as-is", "-o", "IN/got"}, more...), "tftp://"+host+"/"+path)
	}
	const notFound, permission, illegal = 68, 69, -1
	cases := []get{
		{name: "plain", args: url("big.bin"), file: "got", want: "big.bin"},
		{name: "blksize", args: url("big.bin", "--tftp-blksize", "1428"), file: "got", want: "big.bin"},
		{name: "largest blksize", args: url("big.bin", "--tftp-blksize", "65464"), file: "got", want: "big.bin"},
		{name: "smallest blksize", args: url("long.bin", "--tftp-blksize", "8"), file: "got", want: "long.bin"},
		{name: "no options", args: url("big.bin", "--tftp-no-options"), file: "got", want: "big.bin"},
		{name: "netascii", args: url("text.txt;mode=netascii"), file: "got", want: "text.txt.netascii"},
		{name: "two slashes", args: url("/one.bin"), file: "got", want: "one.bin"},
		{name: "missing", args: url("missing.efi"), status: notFound},
		{name: "folder", args: url("sub/"), status: notFound},
		{name: "above the root", args: url("../secret.txt"), status: illegal},
		{name: "absolute", args: url("/etc/passwd"), status: notFound},
		{name: "write", args: []string{"curl", "-sS", "-T", "/etc/hostname", "tftp://" + host + "/up.txt"}, status: permission},
	}
	// curl writes what is on the wire: line ends are CR LF, a CR alone is CR NUL.
	s.write("root/text.txt.netascii", "one\r\ntwo\r\x00\r\nthree\r\n")
	s.run(c, cases)
}

func TestBusyboxTftp(t *testing.T) {
	s, c := tftpSite(t)
	with := func(file string, more ...string) []string {
		return append(append([]string{"busybox", "tftp", "-g", "-l", "IN/got", "-r", file}, more...), host)
	}
	cases := []get{
		{name: "plain", args: with("big.bin"), file: "got", want: "big.bin"},
		{name: "blksize", args: with("big.bin", "-b", "1428"), file: "got", want: "big.bin"},
		{name: "same as without", args: with("long.bin", "-b", "512"), file: "got", want: "long.bin"},
		{name: "largest blksize", args: with("big.bin", "-b", "65464"), file: "got", want: "big.bin"},
		{name: "empty", args: with("empty.bin"), file: "got", want: "empty.bin"},
		{name: "missing", args: with("missing.efi"), status: 1, says: "server error: (1)"},
		{name: "above the root", args: with("../../../etc/passwd"), status: 1, says: "server error"},
		{name: "write", args: []string{"busybox", "tftp", "-p", "-l", "/etc/hostname", "-r", "up.txt", host}, status: 1, says: "server error: (2)"},
	}
	s.run(c, cases)
}

// TestManyAtOnce has twenty real clients read at the same time.
func TestManyAtOnce(t *testing.T) {
	s, c := tftpSite(t)
	var running []*lab.Process
	for i := range 20 {
		p, err := c.Start("curl", "-sS", "--tftp-blksize", "1428", "-o", s.path(fmt.Sprint("got", i)), "tftp://"+host+"/big.bin")
		s.must(err)
		running = append(running, p)
	}
	want := string(pattern(fileSizes["big.bin"]))
	for i, p := range running {
		if status, err := p.Wait(4 * patience); err != nil || status != 0 || s.read(fmt.Sprint("got", i)) != want {
			t.Errorf("client %d: status %d, %v, %d bytes: %s", i, status, err, len(s.read(fmt.Sprint("got", i))), p.Output())
		}
	}
}
