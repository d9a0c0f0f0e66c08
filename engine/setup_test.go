package engine

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bootstorm/engine/config"
	"bootstorm/engine/image"
	"bootstorm/engine/plan"
)

func parseText(text string) *config.Tree {
	return config.ParseText("t.conf", []byte(text), config.Options{})
}

// TestMissing finds the boot files that are named and not there, wherever the
// name stands.
func TestMissing(t *testing.T) {
	s := compileTree("t.conf", parseText(`
filename "here.efi";
class "c" { match hardware; filename "class.efi"; }
subclass "c" 1:2:3:4:5:6:7 { filename "sub.efi"; }
group { host h { hardware ethernet 2:0:0:0:0:1; filename "host.efi"; } }
shared-network n { subnet 10.0.0.0 netmask 255.0.0.0 { pool { range 10.0.0.2; filename "pool.efi"; } } }
if known { filename "then.efi"; } else { switch (option user-class) { case "x": filename "case.efi"; } }
option bootfile-name "option.efi";
filename "http://10.0.0.1/url.efi";
filename = concat("computed-", option user-class);
filename "here.efy";
`))
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	if s.Missing() != nil {
		t.Error("missing before the files are read")
	}
	s.Files = image.Build(1, "/srv/tftp", []image.File{{Name: "here.efi"}})
	var got []string
	for _, f := range s.Missing() {
		name := strings.Split(f.Message, `"`)[1]
		got = append(got, name)
		if f.Severity != config.Warning || f.Line == 0 || f.Width != len(name)+2 || f.Remedy == "" {
			t.Errorf("%+v", f)
		}
		if near := strings.Contains(f.Remedy, `did you mean "here.efi"?`); near != (name == "here.efy") {
			t.Errorf("%s: %s", name, f.Remedy)
		}
	}
	for _, want := range []string{"class.efi", "sub.efi", "host.efi", "pool.efi", "then.efi", "case.efi", "option.efi", "here.efy"} {
		if strings.Count(strings.Join(got, " "), want) != 1 {
			t.Errorf("%s: not once in %v", want, got)
		}
	}
	if len(got) != 8 {
		t.Errorf("%v", got)
	}
	s = compileTree("t.conf", parseText("filename \"a.efi\";\ngroup { filename \"a.efi\"; }\n"))
	s.Files = image.Build(1, "/srv/tftp", nil)
	if lines := s.missingByName(); len(lines) != 1 || !strings.Contains(lines[0], "(named in t.conf:1, 2); put the file into /srv/tftp") {
		t.Errorf("%q", lines)
	}
}

func TestSetupErrors(t *testing.T) {
	s := compileTree("t.conf", parseText("subnet 10.0.0.0 netmask 255.0.0.0 { rang 10.0.0.2; }\n"))
	err := s.Err()
	if err == nil || !strings.Contains(err.Error(), "the configuration t.conf cannot be used:\nt.conf:1:") || !strings.Contains(err.Error(), "^") {
		t.Error(err)
	}
	if _, err := DeriveConfig([]plan.Link{{Name: "eth0"}}); err == nil || !strings.Contains(err.Error(), "no interface has an IPv4 address") {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "dhcpd.conf")
	if err := os.WriteFile(file, []byte(guideText), 0o600); err != nil {
		t.Fatal(err)
	}
	if s := ParseConfig(file); s.Err() != nil || len(s.Hosts) != 1 {
		t.Errorf("%v, hosts %v", s.Err(), s.Hosts)
	}
	exists := func(path string) bool { return path == DefaultFiles[1] }
	if got := findConfig(exists); got != DefaultFiles[1] {
		t.Error(got)
	}
}

func TestNearest(t *testing.T) {
	files := image.Build(1, "/", []image.File{{Name: "ipxe.efi"}, {Name: "boot/refind_x64.efi"}, {Name: "a"}, {Name: "pxelinux.0"}})
	for name, want := range map[string]string{
		"ipxe.eif": "ipxe.efi", "/IPXE.EFI": "ipxe.efi", "refind_x64.efi": "boot/refind_x64.efi", "boot\\refind_x86.efi": "boot/refind_x64.efi",
		"pxelinux": "pxelinux.0", "b": "", "vmlinuz": "", "": "", "ipxe32.efi": "", "ipxe.efi.sig": "", "autoexec.ipxe": "",
	} {
		if got := nearest(files, name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestUnits(t *testing.T) {
	for got, want := range map[string]string{
		size(0): "0 B", size(999): "999 B", size(1000): "1.0 KB", size(1044992): "1.0 MB", size(123456789): "123 MB", size(5e15): "5000 TB",
		leaseTime(7200): "for 2 hours", leaseTime(86400): "for 1 day", leaseTime(7193): "for 1 h 59 min 53 s", leaseTime(59): "for 59 seconds", leaseTime(60): "for 1 minute",
		plural(1, "address"): "1 address", plural(2, "address"): "2 addresses", plural(0, "entry"): "0 entries", plural(3, "file"): "3 files",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// supervised has this process run as a service of a systemd that expects signs of life,
// and returns where that listens.
func supervised(t *testing.T) *net.UnixConn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "20000")
	return l
}

// TestSystemd tells a supervisor what it has to know, over a real socket.
func TestSystemd(t *testing.T) {
	l := supervised(t)
	t.Setenv("WATCHDOG_PID", "")
	os.Unsetenv("WATCHDOG_PID")
	s := serve(t, newNetwork(), guideText)
	s.said("ready: ")
	hangUp(t)
	s.said("SIGHUP: reloaded")
	seen := ""
	heard := func(text string) {
		t.Helper()
		buf := make([]byte, 4096)
		l.SetReadDeadline(time.Now().Add(20 * time.Second))
		for !strings.Contains(seen, text) {
			n, err := l.Read(buf)
			if err != nil {
				t.Fatalf("%v before %q; heard:\n%s", err, text, seen)
			}
			seen += string(buf[:n]) + "\n"
		}
	}
	heard("READY=1\nSTATUS=DHCP and TFTP on eth1")
	heard("RELOADING=1\nMONOTONIC_USEC=")
	heard("WATCHDOG=1")
	if err := s.finish(); err != nil {
		t.Fatal(err)
	}
	heard("STOPPING=1")
}

// A worker that hangs is not vouched for, so that systemd starts the daemon again;
// one that goes on is.
func TestWatchdogIsSilentWhileAWorkerHangs(t *testing.T) {
	l := supervised(t)
	n := newNetwork()
	s := serve(t, n, guideText)
	s.said("ready: ")
	vouched := func(within time.Duration) bool {
		t.Helper()
		buf := make([]byte, 4096)
		l.SetReadDeadline(time.Now().Add(within))
		for {
			k, err := l.Read(buf)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return false
			}
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(buf[:k]), "WATCHDOG=1") {
				return true
			}
		}
	}
	if !vouched(20 * time.Second) {
		t.Fatal("a worker that turns is not vouched for")
	}
	socket := n.sock()
	socket.mu.Lock() // it hangs at its next frame
	for end := time.Now().Add(20 * time.Second); vouched(700 * time.Millisecond); {
		if time.Now().After(end) {
			socket.mu.Unlock()
			t.Fatal("a worker that hangs is vouched for")
		}
	}
	socket.mu.Unlock()
	if !vouched(20 * time.Second) {
		t.Error("a worker that goes on is not vouched for")
	}
	if err := s.finish(); err != nil {
		t.Error(err)
	}
}

// TestSmall: a boot-size that is less than the file beside it is warned of; one that
// holds it, one of a file that is not there, and 0 are not (0 is a finding already).
func TestSmall(t *testing.T) {
	s := compileTree("t.conf", parseText(`
filename "big.efi";
option boot-size 2;
group { filename "big.efi"; option boot-size 3; }
group { option boot-size 1; filename "none.efi"; }
group { if known { option boot-size 0; filename "big.efi"; } }
option boot-size 1;
`))
	if s.Small() != nil {
		t.Error("small before the files are read")
	}
	s.Files = image.Build(1, "/srv/tftp", []image.File{{Name: "big.efi", Data: make([]byte, 1025)}})
	got := s.Small()
	if len(got) != 1 || got[0].Line != 7 || got[0].Remedy == "" ||
		!strings.Contains(got[0].Message, `option boot-size 1 is 512 bytes, "big.efi" has 1025: UEFI firmware gives up with PXE-E05`) {
		t.Errorf("%+v", got)
	}
}

// TestElsewhere: each address in next-server that this server does not have is named
// once, with its places.
func TestElsewhere(t *testing.T) {
	s := compileTree("t.conf", parseText("next-server 10.0.0.1;\ngroup { next-server 10.0.0.9; }\ngroup { next-server 10.0.0.9; }\nif known { next-server 0.0.0.0; }\n"))
	links := []plan.Link{{Name: "bond0", Addrs: []plan.LinkAddr{{Addr: 0x0a000001, Mask: 0xffffff00}}}}
	got := s.elsewhere(links)
	if len(got) != 1 || !strings.HasPrefix(got[0], "next-server 10.0.0.9 (t.conf:2, 3) is no address of this server (bond0 10.0.0.1/24): ") {
		t.Errorf("%q", got)
	}
}
