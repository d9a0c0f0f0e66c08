package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bootstorm/pcap"
)

const folder = "../../pcap/testdata/"

// run executes a command line and returns what it printed.
func run(args ...string) (out, log string, err error) {
	var o, l bytes.Buffer
	c := rootCommand()
	c.SetOut(&o)
	c.SetErr(&l)
	c.SetArgs(args)
	err = c.Execute()
	return o.String(), l.String(), err
}

// file writes a temporary file.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReplayReviewed(t *testing.T) {
	out, log, err := run("replay", folder+"uefi-x64-guide.pcap", folder+"linux-dhclient.pcap")
	// One of the captures is of leases that are short on purpose.
	if err != nil || strings.Count(log, ": warning: ") != 1 || !strings.Contains(log, "lease20.conf:3:1: warning: max-lease-time 20") {
		t.Fatalf("%v\n%s%s", err, log, out)
	}
	for _, want := range []string{"uefi-x64-guide.pcap: 1651 frames in 34.6 s, 1 client; compared 5 DHCP answers, 5 file requests, 803 blocks",
		"adapted: " + pcap.AdaptPort, "2 captures: no difference that is not on the reviewed list"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if strings.Contains(out, "NOT REVIEWED") {
		t.Errorf("a difference is not on the list:\n%s", out)
	}
}

func TestReplayUnreviewed(t *testing.T) {
	empty := file(t, "none.txt", "# nothing reviewed\n")
	out, _, err := run("replay", folder+"uefi-x64-guide.pcap", "--differences", empty)
	if !errors.Is(err, errDifferent) || !strings.Contains(out, "NOT REVIEWED") || !strings.Contains(out, "windowsize") {
		t.Errorf("%v\n%s", err, out)
	}
	long, _, err := run("replay", "--verbose", folder+"uefi-x64-guide.pcap", "--differences", empty)
	if !errors.Is(err, errDifferent) || !strings.Contains(long, "RRQ ipxe.efi octet tsize=0 blksize=1468 windowsize=4") || !strings.Contains(long, "52:54:00:12:34:01") {
		t.Errorf("%v\n%s", err, long)
	}
}

// A capture without a manifest needs nothing but its name: the server is seen
// in it, and the configuration follows from its address.
func TestReplayWithoutManifest(t *testing.T) {
	b, err := os.ReadFile(folder + "uefi-x64-guide.pcap")
	if err != nil {
		t.Fatal(err)
	}
	alone := file(t, "site.pcap", string(b))
	out, _, err := run("replay", alone)
	if err != nil && !errors.Is(err, errDifferent) {
		t.Fatal(err)
	}
	if !strings.Contains(out, "compared 5 DHCP answers") || strings.Contains(out, "OFFER | missing") {
		t.Errorf("it printed\n%s", out)
	}
	answers := filepath.Join(t.TempDir(), "answers.pcap")
	if _, _, err = run("replay", alone, "--config", folder+"conf/guide.conf", "--write", answers, "--interface-address", "192.168.1.1/28", "--server", "192.168.1.1"); err != nil && !errors.Is(err, errDifferent) {
		t.Fatal(err)
	}
	written, err := pcap.ReadFile(answers)
	if err != nil || len(written.Records) < 1500 || !written.Nanosecond {
		t.Errorf("%d frames were written, %v", len(written.Records), err)
	}
	again, _, err := run("replay", answers, "--config", folder+"conf/guide.conf")
	if err != nil {
		t.Errorf("our own answers differ from our answers: %v\n%s", err, again)
	}
}

// The operator's lease file takes the place of what the capture implies: with
// its lease, the firmware is offered the address that it had.
func TestReplayLeaseFile(t *testing.T) {
	leases := file(t, "dhcpd.leases", `lease 192.168.1.4 {
  starts 0 2020/01/05 00:00:00;
  ends 0 2020/01/05 02:00:00;
  binding state free;
  hardware ethernet 52:54:00:12:34:01;
}
`)
	out, _, err := run("replay", folder+"uefi-x64-guide.pcap", "--lease-file", leases)
	if !errors.Is(err, errDifferent) || !strings.Contains(out, "192.168.1.4") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestReplayTrouble(t *testing.T) {
	guide := folder + "uefi-x64-guide.pcap"
	for _, k := range []struct {
		name string
		args []string
		want string
	}{
		{"no file", []string{"replay"}, "a capture file is missing: bench replay FILE…"},
		{"missing file", []string{"replay", "missing.pcap"}, "missing.pcap"},
		{"not a capture", []string{"replay", "main.go"}, "not a capture file"},
		{"missing configuration", []string{"replay", guide, "--config", "missing.conf"}, "missing.conf"},
		{"bad configuration", []string{"replay", guide, "--config", file(t, "bad.conf", "subnet 10.0.0.0 {\n")}, "bad.conf has errors"},
		{"bad address", []string{"replay", guide, "--interface-address", "192.168.1.1"}, "prefix length"},
		{"bad server", []string{"replay", guide, "--server", "here"}, "not an address"},
		{"no server", []string{"replay", guide, "--server", "10.1.1.1"}, "no DHCP or TFTP server"},
		{"bad list", []string{"replay", guide, "--differences", file(t, "bad.txt", "a | b\n")}, "columns"},
		{"missing list", []string{"replay", guide, "--differences", "missing.txt"}, "missing.txt"},
		{"missing root", []string{"replay", guide, "--tftp-root", "missing"}, "missing"},
		{"missing lease file", []string{"replay", guide, "--lease-file", "missing.leases"}, "missing.leases"},
		{"answers to two captures", []string{"replay", guide, guide, "--write", "x.pcap"}, "name only one"},
		{"answers into no folder", []string{"replay", guide, "--write", "missing/x.pcap"}, "missing/x.pcap"},
		{"unknown flag", []string{"replay", "--fast"}, "there is no flag --fast"},
		{"unknown command", []string{"rewind"}, `there is no command "rewind"`},
	} {
		t.Run(k.name, func(t *testing.T) {
			_, _, err := run(k.args...)
			if err == nil || errors.Is(err, errDifferent) || !strings.Contains(err.Error(), k.want) {
				t.Errorf("error %v, want one with %q", err, k.want)
			}
		})
	}
}

func TestCut(t *testing.T) {
	out := filepath.Join(t.TempDir(), "cut.pcapng")
	text, _, err := run("cut", folder+"uefi-x64-guide.pcap", out)
	if err != nil || !strings.Contains(text, "0 of 1651 frames cut") {
		t.Errorf("%v: %s", err, text)
	}
	if c, err := pcap.ReadFile(out); err != nil || len(c.Records) != 1651 || !c.Next {
		t.Errorf("the copy cannot be read: %v", err)
	}
	broken, err := os.ReadFile(folder + "bios-guide.pcap")
	if err != nil {
		t.Fatal(err)
	}
	if _, log, err := run("cut", file(t, "broken.pcap", string(broken[:len(broken)-1])), out); err != nil || !strings.Contains(log, "not complete") {
		t.Errorf("a capture that ends early: %v: %s", err, log)
	}
	for _, args := range [][]string{{"cut", "missing.pcap", out}, {"cut", folder + "bios-guide.pcap", "missing/x.pcap"}, {"cut", "one"}} {
		if _, _, err := run(args...); err == nil {
			t.Errorf("%v succeeds", args)
		}
	}
}

func TestVerdict(t *testing.T) {
	for n, want := range map[int]string{0: "no difference", 1: "1 DIFFERENCE ", 2: "2 DIFFERENCES "} {
		if got := verdict(n); !strings.HasPrefix(got, want) {
			t.Errorf("%d: %s", n, got)
		}
	}
}

// Progress is for people in front of a terminal.
func TestProgress(t *testing.T) {
	if progress(new(bytes.Buffer), "a") != nil {
		t.Error("progress goes into a buffer")
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if progress(f, "a") != nil {
		t.Error("progress goes into a file")
	}
}
