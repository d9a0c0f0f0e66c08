package lease

import (
	"bufio"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// stormFile, in the environment of the test binary, turns it into the child of
// TestKill: a storm of leases into that file.
const stormFile = "LEASE_TEST_STORM"

const stormAddresses = 300

func TestMain(m *testing.M) {
	if path := os.Getenv(stormFile); path != "" {
		storm(path)
	}
	os.Exit(m.Run())
}

// storm appends leases until it is killed, and writes each acknowledged
// sequence number to standard output: eight bytes, little endian.
func storm(path string) {
	j, r, err := Open(path, Options{CompactBytes: 128 << 10, GroupRecords: 64})
	if err != nil {
		panic(err)
	}
	from := uint64(0)
	for _, l := range r.Leases {
		from = max(from, uint64(l.Starts))
	}
	j.OnDurable(func() { os.Stdout.Write(binary.LittleEndian.AppendUint64(nil, j.Durable())) })
	for {
		appendAll(j, from+1, from+50, stormAddresses, 25)
		from += 50
	}
}

// TestKill kills a storm twenty times in the middle of writing, and finds each
// time what had been acknowledged.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dhcpd.leases")
	acked := uint64(0)
	for round := range 20 {
		acked = max(acked, killed(t, path, time.Duration(20+rand.IntN(60))*time.Millisecond))
		r, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if bad := lost(r, acked, stormAddresses); bad != nil || r.Damaged {
			t.Fatalf("round %d, acknowledged %d: damaged %v, lost %v", round, acked, r.Damaged, bad)
		}
	}
	if acked < 1000 {
		t.Errorf("only %d leases in all: no storm", acked)
	}
}

// killed runs one storm for a while, kills it, and returns the last sequence
// number that it acknowledged.
func killed(t *testing.T, path string, after time.Duration) (acked uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), stormFile+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(time.Hour, func() { cmd.Process.Kill() })
	var word [8]byte
	for in := bufio.NewReader(out); ; {
		if _, err := io.ReadFull(in, word[:]); err != nil {
			break
		}
		if acked == 0 {
			stop.Reset(after) // from the first acknowledgement on
		}
		acked = binary.LittleEndian.Uint64(word[:])
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the storm ended by itself")
	}
	return acked
}

// dhcpdReads lets the real dhcpd judge a lease file: it loads the file and
// writes it anew. The answer is how many leases it found, and its complaints.
func dhcpdReads(t *testing.T, text []byte) (leases string, complaints []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dhcpd.leases")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("dhcpd")
	if err != nil {
		if program = "/usr/sbin/dhcpd"; !exists(program) {
			t.Fatal("this test needs ISC dhcpd 4.4 as the judge of the file format (Debian: isc-dhcp-server)")
		}
	}
	out, err := exec.Command(program, "-4", "-T", "-cf", "testdata/dhcpd.conf", "-lf", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		switch {
		case strings.Contains(line, " leases to leases file"):
			leases = regexp.MustCompile(`\d+`).FindString(line)
		case strings.Contains(line, " line ") || strings.Contains(line, "orrupt"):
			complaints = append(complaints, line)
		}
	}
	return leases, complaints
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestDhcpdReadsOurs: dhcpd 4.4 takes every record that we write, and what we
// made of its own file.
func TestDhcpdReadsOurs(t *testing.T) {
	var ours []byte
	count := 0
	for s := range batch.LeaseStates {
		for variant := range 4 {
			count++
			l := batch.Lease{Addr: proto.AddrOf(192, 168, 1, byte(1+count)), State: s, HW: ether(byte(count)),
				Starts: noon, Ends: noon + 1e8, CLTT: noon}
			switch variant {
			case 1:
				l.Ends = batch.Forever
				l.HW.Type = 32
			case 2:
				l.ClientIDLen = 64
				fill(l.ClientID[:], 0)
				l.VendorLen = 32
				fill(l.Vendor[:], 240)
			case 3:
				l.ClientIDLen, l.HW.Type = 200, 77
				l.HostnameLen = byte(copy(l.Hostname[:], `a"b\c {}; # lease`))
			}
			ours = AppendRecord(ours, &l)
		}
	}
	if n, complaints := dhcpdReads(t, ours); n != "36" || complaints != nil {
		t.Errorf("dhcpd found %s of %d leases: %q", n, count, complaints)
	}
	r, err := Read("testdata/dhcpd-4.4.leases")
	if err != nil {
		t.Fatal(err)
	}
	rep := newReplica(r)
	again, _ := rep.appendFrom(rep.head, 0, 1<<30)
	if n, complaints := dhcpdReads(t, again); n != "9" || complaints != nil {
		t.Errorf("dhcpd found %s of 9 leases: %q\n%s", n, complaints, again)
	}
	broken := strings.Replace(string(ours), "binding", "bunding", 1)
	if n, complaints := dhcpdReads(t, []byte(broken)); n == "36" || complaints == nil {
		t.Errorf("the judge sleeps: %s %q", n, complaints)
	}
}
