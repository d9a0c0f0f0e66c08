package pcap

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// prepared surveys a capture and prepares a replay of it.
func prepared(t *testing.T, name string, site Site) (Options, []string, error) {
	t.Helper()
	c := testdata(t, name)
	s, err := Look(c, server)
	if err != nil {
		t.Fatal(err)
	}
	o, warnings, err := Prepare(site, s)
	o.Capture = c
	return o, warnings, err
}

// Without a configuration the daemon's own defaults answer: the guide's boot
// works from nothing but the captured server's address.
func TestPrepareDerived(t *testing.T) {
	o, warnings, err := prepared(t, "uefi-x64-guide.pcap", Site{})
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v %v", err, warnings)
	}
	if o.Link.MAC != serverMAC || o.Link.Addrs[0].Addr != server.Addr || o.Link.Addrs[0].Mask != server.Mask || o.Link.MTU != 1500 || !o.Window || o.Contents {
		t.Errorf("prepared %+v", o.Link)
	}
	r, err := Run(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range r.Differences {
		if d.Field == "missing" || d.Field == "file" || d.Message == "DATA" || d.Message == "ERROR" {
			t.Errorf("the derived configuration answers otherwise: %+v", d)
		}
	}
}

// With another address of our own the captured clients' frames are readdressed,
// and every answer names ours.
func TestPrepareAddress(t *testing.T) {
	ours := proto.AddrOf(192, 168, 1, 9)
	o, _, err := prepared(t, "uefi-x64-guide.pcap", Site{Config: "testdata/conf/guide.conf", Address: ours, Mask: server.Mask})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(o)
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, d := range r.Differences {
		if d.Field == "missing" || d.Message == "DATA" {
			t.Errorf("%+v", d)
		}
		if d.Field == "option 54 dhcp-server-identifier" && d.Ours == ours.String() {
			named++
		}
	}
	if named != 5 || r.Adapted[AdaptServer] == 0 {
		t.Errorf("%d answers name our address, adapted %v", named, r.Adapted)
	}
}

// Real files are compared byte by byte.
func TestPrepareRoot(t *testing.T) {
	root := t.TempDir()
	right := bytes.Repeat([]byte("0123456789abcdef"), 1)
	if err := os.WriteFile(filepath.Join(root, "a"), right, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct{ name, captured, want string }{
		{"the same bytes", string(right), ""},
		{"other bytes", "0123456789abcdeF", "DATA | bytes | 1 blocks differ | -\n"},
		{"another length", "0123456789abcde", "DATA | block length | 16 | 15\n"},
	} {
		c := conversation(fromClient(69, []byte("\x00\x01a\x00octet\x00")), fromServer(4000, []byte("\x00\x03\x00\x01"+k.captured)), fromClient(4000, []byte("\x00\x04\x00\x01")))
		s, err := Look(c, server)
		if err != nil {
			t.Fatal(err)
		}
		o, _, err := Prepare(Site{Config: "testdata/conf/guide.conf", TFTPRoot: root}, s)
		if err != nil || !o.Contents {
			t.Fatalf("%v, contents %v", err, o.Contents)
		}
		o.Capture = c
		r, err := Run(o)
		if err != nil {
			t.Fatal(err)
		}
		if got := lines(r.Differences); got != k.want {
			t.Errorf("%s: got %q, want %q", k.name, got, k.want)
		}
		if r.Adapted[AdaptContents] > 0 {
			t.Errorf("%s: real files are reported as a pattern", k.name)
		}
	}
}

// renewal is a capture that begins in the life of a lease: the client renews
// and the captured server confirms.
func renewal() *Capture {
	body := dhcpMessage(dhcp.Request, 9, func(h *dhcp.Header, w *dhcp.Writer) { h.SetCIAddr(client) })
	ack := dhcpMessage(dhcp.Ack, 9, func(h *dhcp.Header, w *dhcp.Writer) {
		h.SetOp(dhcp.BootReply)
		h.SetCIAddr(client)
		h.SetYIAddr(client)
		w.Option(dhcp.OptServerID, []byte{192, 168, 1, 1})
		w.Option(dhcp.OptLeaseTime, []byte{0, 0, 0x1c, 0x20})
	})
	return conversation(udpFrame(clientMAC, serverMAC, endpoint{client, 68}, endpoint{server.Addr, 67}, body),
		udpFrame(serverMAC, clientMAC, endpoint{server.Addr, 67}, endpoint{client, 68}, ack))
}

// A lease that the capture implies is there when the client renews it; with the
// operator's own lease file, only what is in that.
func TestPrepareLeases(t *testing.T) {
	other := batch.Lease{Seq: 1, Addr: client, State: batch.LeaseActive, HW: dhcp.HW{Type: 1, Len: 6}, Ends: batch.Forever}
	copy(other.HW.Addr[:], serverMAC[:])
	for _, k := range []struct {
		name   string
		leases []batch.Lease
		acked  bool
	}{{"implied", nil, true}, {"held by another machine", []batch.Lease{other}, false}} {
		c := renewal()
		s, err := Look(c, server)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Held) != 1 || s.Held[0].Addr != client || s.Held[0].HW.MAC() != clientMAC || s.Held[0].Ends-s.Held[0].Starts != 7200 {
			t.Fatalf("the capture implies %+v", s.Held)
		}
		o, _, err := Prepare(Site{Config: "testdata/conf/guide.conf", Leases: k.leases}, s)
		if err != nil {
			t.Fatal(err)
		}
		o.Capture = c
		r, err := Run(o)
		if err != nil {
			t.Fatal(err)
		}
		if missing := strings.Contains(lines(r.Differences), "ACK | missing"); missing == k.acked || (r.Adapted[AdaptLeases] == 1) != k.acked {
			t.Errorf("%s: adapted %v, differences\n%s", k.name, r.Adapted, lines(r.Differences))
		}
	}
	// A lease that the captured server gives in the capture is not from before.
	s, err := Look(testdata(t, "linux-dhclient.pcap"), server)
	if err != nil || len(s.Held) != 0 {
		t.Errorf("a capture from the first DISCOVER on implies %+v, %v", s.Held, err)
	}
}

func TestPrepareRefuses(t *testing.T) {
	conf := func(text string) string {
		name := filepath.Join(t.TempDir(), "dhcpd.conf")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, k := range []struct {
		name string
		site Site
		want string
	}{
		{"missing configuration", Site{Config: "missing.conf"}, "missing.conf"},
		{"error in the configuration", Site{Config: conf("subnet 10.0.0.0 netmask 255.0.0.0 {")}, "has errors"},
		{"missing root", Site{TFTPRoot: "missing"}, "missing"},
	} {
		_, warnings, err := prepared(t, "bios-guide.pcap", k.site)
		if err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%s: %v, want %q", k.name, err, k.want)
		}
		if k.want == "has errors" && len(warnings) == 0 {
			t.Error("the error in the configuration is not shown")
		}
	}
	c := &Case{Name: "uefi-x64-no-server.pcap"}
	if _, _, err := c.Replay(testdata(t, c.Name), nil); err == nil {
		t.Error("a capture without a server replays without naming one")
	}
	c = &Case{Name: "bios-guide.pcap", Config: "missing.conf"}
	if _, _, err := c.Replay(testdata(t, c.Name), nil); err == nil {
		t.Error("a case without its configuration replays")
	}
}

func TestDeclare(t *testing.T) {
	got := declare([]proto.MAC{clientMAC, serverMAC})
	for _, want := range []string{"host node_1 {", "hardware ethernet 52:54:00:12:34:01;", `server-name "node_1";`, "host node_2 {", "02:00:00:00:00:01"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
	if declare(nil) != "" {
		t.Error("no hosts make text")
	}
}

// Whatever a capture holds, reading, surveying and replaying it ends without a
// panic, and what we send to it is well formed.
func FuzzReplay(f *testing.F) {
	for _, name := range []string{"bios-guide.pcap", "linux-decline.pcap", "uefi-x64-no-tftp.pcap", "uefi-x64-guide.pcapng"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[:min(len(b), 6000)])
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := Read(file)
		if err != nil {
			return
		}
		for i := range c.Records { // a fuzzer's clock is no reason to run timers for centuries
			c.Records[i].Time = 1_700_000_000_000_000_000 + int64(i)*1_000_000
		}
		s, err := Look(c, server)
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.Files {
			s.Files[i].Size = min(s.Files[i].Size, 1<<16)
		}
		o, _, err := Prepare(Site{Config: "testdata/conf/guide.conf"}, s)
		if err != nil {
			t.Fatal(err)
		}
		o.Capture = c
		r, err := Run(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range r.Differences {
			if d.Message == "FRAME" {
				t.Errorf("%+v", d)
			}
		}
	})
}
