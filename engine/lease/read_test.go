package lease

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// noon is the wall clock of the tests: 2026-11-22 10:40:00 UTC.
const noon = 1795344000

func at(h, m, s int) int64 { return time.Date(2026, 11, 20, h, m, s, 0, time.UTC).Unix() }

func ether(last byte) dhcp.HW {
	return dhcp.HW{Type: 1, Len: 6, Addr: [16]byte{0x52, 0x54, 0, 0x12, 0x34, last}}
}

func byAddr(t *testing.T, r *Recovered, addr string) batch.Lease {
	t.Helper()
	for _, l := range r.Leases {
		if l.Addr.String() == addr {
			return l
		}
	}
	t.Fatalf("no lease of %s", addr)
	return batch.Lease{}
}

// TestReadDhcpd reads files that dhcpd 4.4.3 wrote, one with
// "db-time-format local" and "lease-id-format hex".
func TestReadDhcpd(t *testing.T) {
	r, err := Read("testdata/dhcpd-4.4.leases")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Leases) != 9 || r.Damaged || r.GoodEnd != r.Bytes {
		t.Fatalf("leases %d, damaged %v, good %d of %d", len(r.Leases), r.Damaged, r.GoodEnd, r.Bytes)
	}
	for _, c := range []struct {
		addr  string
		state batch.LeaseState
		ends  int64
		hw    byte
	}{
		{"192.168.1.2", batch.LeaseActive, batch.Forever, 1},
		{"192.168.1.3", batch.LeaseFree, at(11, 0, 0), 2},
		{"192.168.1.4", batch.LeaseAbandoned, 1921489200, 0},
		{"192.168.1.5", batch.LeaseReserved, 1921489200, 5},
		{"192.168.1.6", batch.LeaseBootp, batch.Forever, 6},
		{"192.168.1.7", batch.LeaseFree, at(11, 0, 0), 7},
		{"192.168.1.8", batch.LeaseFree, at(11, 0, 0), 8},
		{"192.168.1.9", batch.LeaseActive, 1921410000, 0x99},
	} {
		l := byAddr(t, r, c.addr)
		if l.State != c.state || l.Ends != c.ends || l.HW.Addr[5] != c.hw {
			t.Errorf("%s: state %v ends %d hw %x", c.addr, StateName(l.State), l.Ends, l.HW.Addr[5])
		}
	}
	var texts []string
	for _, w := range r.Warnings {
		texts = append(texts, w.String())
	}
	got := strings.Join(texts, "\n")
	if len(texts) != 2 || !strings.Contains(got, "line 7: group declared") || !strings.Contains(got, "line 11: host declared") {
		t.Errorf("warnings:\n%s", got)
	}
}

func TestReadVariants(t *testing.T) {
	want := batch.Lease{Addr: proto.AddrOf(192, 168, 1, 50), State: batch.LeaseActive}
	for _, name := range []string{"testdata/dhcpd-4.4.leases", "testdata/dhcpd-4.4-local.leases"} {
		r, err := Read(name)
		if err != nil {
			t.Fatal(err)
		}
		l := byAddr(t, r, want.Addr.String())
		if string(l.ClientID[:l.ClientIDLen]) != "\x01\xaa\xbb\\\"\x00\xff\n" {
			t.Errorf("%s: uid %q", name, l.ClientID[:l.ClientIDLen])
		}
		if string(l.Hostname[:l.HostnameLen]) != "node-1" || string(l.Vendor[:l.VendorLen]) != "PXEClient:Arch:00007:UNDI:003001" {
			t.Errorf("%s: host %q vendor %q", name, l.Hostname[:l.HostnameLen], l.Vendor[:l.VendorLen])
		}
		if l.Ends-l.Starts != 600 || l.CLTT != l.Starts || l.Starts < noon-3600 || l.Starts > noon {
			t.Errorf("%s: starts %d ends %d cltt %d", name, l.Starts, l.Ends, l.CLTT)
		}
	}
}

// TestStates reads every state, the flags, and records without one.
func TestStates(t *testing.T) {
	future, past := "ends epoch 1795349999;", "ends epoch 1795340000;"
	for body, want := range map[string]batch.LeaseState{
		"binding state free;":                      batch.LeaseFree,
		"binding state active;":                    batch.LeaseActive,
		"binding state expired;":                   batch.LeaseExpired,
		"binding state released;":                  batch.LeaseReleased,
		"binding state abandoned;":                 batch.LeaseAbandoned,
		"binding state reset;":                     batch.LeaseReset,
		"binding state backup;":                    batch.LeaseBackup,
		"binding state reserved;":                  batch.LeaseReserved,
		"binding state bootp;":                     batch.LeaseBootp,
		"abandoned;":                               batch.LeaseAbandoned,
		"reserved; binding state active;":          batch.LeaseReserved,
		"binding state active; dynamic-bootp;":     batch.LeaseBootp,
		"binding state free; dynamic-bootp;":       batch.LeaseFree,
		future:                                     batch.LeaseActive,
		past:                                       batch.LeaseFree,
		"ends never;":                              batch.LeaseActive,
		"next binding state active; " + past + ";": batch.LeaseFree,
	} {
		r := parse([]byte("lease 10.0.0.1 { "+body+" }\n"), noon)
		if len(r.Leases) != 1 || r.Leases[0].State != want || len(r.Warnings) != 0 {
			t.Errorf("%s: %+v", body, r)
		}
	}
}

// TestRoundTrip writes records and reads them back.
func TestRoundTrip(t *testing.T) {
	base := batch.Lease{Addr: proto.AddrOf(10, 1, 2, 3), State: batch.LeaseActive, HW: ether(9),
		Starts: at(1, 2, 3), Ends: at(9, 0, 59), CLTT: at(1, 2, 3)}
	for name, change := range map[string]func(l *batch.Lease){
		"plain":           func(l *batch.Lease) {},
		"never":           func(l *batch.Lease) { l.Ends = batch.Forever },
		"no times":        func(l *batch.Lease) { l.Starts, l.Ends, l.CLTT = 0, 0, 0 },
		"no hardware":     func(l *batch.Lease) { l.HW = dhcp.HW{} },
		"infiniband":      func(l *batch.Lease) { l.HW = dhcp.HW{Type: 32, Len: 16, Addr: [16]byte{1, 15: 2}} },
		"unknown type":    func(l *batch.Lease) { l.HW.Type = 77 },
		"every byte":      func(l *batch.Lease) { l.ClientIDLen = 64; fill(l.ClientID[:], 0) },
		"more bytes":      func(l *batch.Lease) { l.ClientIDLen = 64; fill(l.ClientID[:], 64) },
		"high bytes":      func(l *batch.Lease) { l.ClientIDLen = 64; fill(l.ClientID[:], 192) },
		"long identifier": func(l *batch.Lease) { l.ClientIDLen = 130; fill(l.ClientID[:], 1) },
		"vendor":          func(l *batch.Lease) { l.VendorLen = 32; fill(l.Vendor[:], 20) },
		"host name":       func(l *batch.Lease) { l.HostnameLen = byte(copy(l.Hostname[:], `a"b\c {}; # lease`)) },
	} {
		l := base
		change(&l)
		for s := range batch.LeaseStates {
			l.State = s
			r := parse(AppendRecord(nil, &l), noon)
			if len(r.Leases) != 1 || r.Leases[0] != l || len(r.Warnings) != 0 {
				t.Errorf("%s, %s:\n%s%+v", name, StateName(s), AppendRecord(nil, &l), r)
			}
		}
	}
}

func fill(b []byte, from byte) {
	for i := range b {
		b[i] = from + byte(i)
	}
}

// TestHostileHostname shows that a host name cannot forge a record, whole or in
// a damaged file.
func TestHostileHostname(t *testing.T) {
	l := batch.Lease{Addr: proto.AddrOf(10, 0, 0, 1), State: batch.LeaseActive, HW: ether(1)}
	l.HostnameLen = byte(copy(l.Hostname[:], "lease 10.9.9.9 { binding state active; }"))
	text := string(AppendRecord(nil, &l))
	broken := strings.Replace(text, "binding", "bonding", 1) + "lease 10.0.0.2 {\n}\n"
	for name, text := range map[string]string{"whole": text, "damaged": broken} {
		for _, got := range parse([]byte(text), noon).Leases {
			if got.Addr == proto.AddrOf(10, 9, 9, 9) {
				t.Errorf("%s: forged lease accepted", name)
			}
		}
	}
	l.HostnameLen = byte(copy(l.Hostname[:], "a\nb"))
	if text := AppendRecord(nil, &l); strings.Contains(string(text), "client-hostname") {
		t.Errorf("unprintable host name written:\n%s", text)
	}
}

// TestDamage breaks files in the middle and at the end.
func TestDamage(t *testing.T) {
	rec := func(n int) string {
		return fmt.Sprintf("lease 10.0.0.%d {\n  binding state active;\n  hardware ethernet 52:54:00:12:34:%02x;\n}\n", n, n)
	}
	for _, c := range []struct {
		name, text string
		kept       string // last byte of the addresses kept
		damaged    bool
		warning    string
		end        int // GoodEnd, -1: whole
	}{
		{"whole", rec(1) + rec(2), "1 2", false, "", -1},
		{"empty", "", "", false, "", 0},
		{"comments only", "# nothing\n\n", "", false, "", -1},
		{"torn in the body", rec(1) + rec(2)[:30], "1", false, "line 5: torn end of file dropped: lease 10.0.0.2: the file ends in the middle of a record", len(rec(1))},
		{"torn in the keyword", rec(1) + "lea", "1", false, "line 5: torn end of file dropped: unknown declaration \"lea\"", len(rec(1))},
		{"torn in a string", rec(1) + "lease 10.0.0.2 {\n  uid \"ab", "1", false, "line 5: torn end of file dropped: lease 10.0.0.2: unreadable text", len(rec(1))},
		{"zeroes at the end", rec(1) + "\x00\x00\x00\x00", "1", false, "line 5: torn end of file dropped: a declaration is expected here", len(rec(1))},
		{"without last newline", rec(1) + strings.TrimSpace(rec(2)), "1 2", false, "", -1},
		{"unknown statement", rec(1) + strings.Replace(rec(2), "binding", "bunding", 1) + rec(3), "1 3", true,
			`line 6: lease 10.0.0.2: unknown statement "bunding"; this record is lost, reading goes on at line 9`, -1},
		{"unknown state", strings.Replace(rec(1), "active", "axtive", 1) + rec(2), "2", true,
			`line 2: lease 10.0.0.1: cannot read "binding state axtive;"; this record is lost, reading goes on at line 5`, -1},
		{"torn, then appended to", rec(1) + rec(2)[:30] + rec(3), "1 3", true, "line 6: lease 10.0.0.2: ", -1},
		{"a hole of zeroes", rec(1) + "\x00\x00\x00" + rec(2), "1 2", true, "line 5: a declaration is expected here; this record is lost, reading goes on at line 5", -1},
		{"stray brace", rec(1) + "}\n" + rec(2), "1 2", true, "line 5: a declaration is expected here", -1},
		{"bad date", "lease 10.0.0.1 {\n  ends 4 2026/13/20 10:00:00;\n}\n" + rec(2), "2", true, "line 2: lease 10.0.0.1: cannot read", -1},
		{"bad address", "lease 10.0.0.256 {\n}\n" + rec(2), "2", true, "line 1: an IPv4 address is expected after lease", -1},
		{"later entries win", rec(1) + "lease 10.0.0.1 { binding state free; }\n", "1", false, "", -1},
	} {
		r := parse([]byte(c.text), noon)
		var kept []string
		for _, l := range r.Leases {
			kept = append(kept, fmt.Sprint(byte(l.Addr)))
		}
		var warning string
		if len(r.Warnings) > 0 {
			warning = r.Warnings[0].String()
		}
		if c.end < 0 {
			c.end = len(c.text)
		}
		if strings.Join(kept, " ") != c.kept || r.Damaged != c.damaged || !strings.HasPrefix(warning, c.warning) ||
			(c.warning == "") != (warning == "") || r.GoodEnd != int64(c.end) {
			t.Errorf("%s: kept %v damaged %v end %d (want %d)\n%s", c.name, kept, r.Damaged, r.GoodEnd, c.end, warning)
		}
	}
}

// TestRuinedFile bounds what is said about a file with damage everywhere.
func TestRuinedFile(t *testing.T) {
	r := parse([]byte(strings.Repeat("lease 10.0.0.1 { x; }\n", 1000)), noon)
	if len(r.Warnings) != maxWarnings+1 || r.More != 1000-maxWarnings-1 || !r.Warnings[maxWarnings].Torn {
		t.Errorf("%d warnings, %d more", len(r.Warnings), r.More)
	}
}

// TestForeignFile refuses files of another kind, so that none is overwritten.
func TestForeignFile(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		text string
		ok   bool
	}{
		"passwd":     {"root:x:0:0:root:/root:/bin/bash\n", false},
		"conf":       {"subnet 10.0.0.0 netmask 255.0.0.0 { }\n", false},
		"empty":      {"", true},
		"first torn": {"lease 10.0.0.1 {\n  starts", true},
		"le":         {"le", true},
		"zeroes":     {"\x00\x00", true},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Read(path)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		if j, _, err := Open(path, Options{}); (err == nil) != c.ok {
			t.Errorf("%s: open: %v", name, err)
		} else if err == nil {
			j.Close()
		} else if text, _ := os.ReadFile(path); string(text) != c.text {
			t.Errorf("%s: changed to %q", name, text)
		}
	}
	if _, err := Read(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("missing: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/dhcpd-4.4.leases", "testdata/dhcpd-4.4-local.leases"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
		f.Add(text[:len(text)/2])
	}
	f.Add([]byte("lease 1.2.3.4 { on expiry { set a = \"}\" ; } }"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := parse(text, noon)
		if r.GoodEnd > int64(len(text)) {
			t.Fatalf("good end %d of %d", r.GoodEnd, len(text))
		}
		sameByGrammar(t, text, r)
		// What is kept survives a rewrite.
		rep := newReplica(r)
		out, _ := rep.appendFrom(append([]byte(nil), rep.head...), 0, 1<<30)
		again := parse(out, noon)
		if len(again.Leases) != len(r.Leases) || again.Damaged || again.GoodEnd != int64(len(out)) {
			t.Fatalf("%d leases became %d\n%s\n%v", len(r.Leases), len(again.Leases), out, again.Warnings)
		}
	})
}
