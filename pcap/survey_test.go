package pcap

import (
	"errors"
	"reflect"
	"testing"

	"bootstorm/engine/image"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// surveyed is what a survey says about a capture, in numbers.
type surveyed struct {
	clients, answers, transfers, window int
}

func TestLook(t *testing.T) {
	for name, want := range map[string]surveyed{
		"uefi-x64-guide.pcap":             {1, 5, 5, 1},
		"uefi-x64-guide.pcapng":           {1, 5, 5, 1},
		"uefi-x64-three-rebooted.pcap":    {3, 20, 20, 1},
		"uefi-x64-atftpd-windowsize.pcap": {1, 5, 7, 0},
		"uefi-x64-http-boot.pcap":         {1, 5, 3, 0},
		"linux-pool-exhausted.pcap":       {6, 8, 0, 0},
		"dhcp-probes.pcap":                {2, 50, 0, 0},
		"tftp-probes.pcap":                {1, 0, 94, 1},
	} {
		s, err := Look(testdata(t, name), Server{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if s.Server.MAC != serverMAC || s.Server.Addr != server.Addr {
			t.Errorf("%s: the server is taken to be %+v", name, s.Server)
		}
		if got := (surveyed{len(s.Clients), len(s.replies), len(s.transfers.list), s.WindowMax}); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestLookForAServer(t *testing.T) {
	c := testdata(t, "uefi-x64-no-server.pcap")
	if _, err := Look(c, Server{}); !errors.Is(err, ErrNoServer) {
		t.Errorf("without a server: %v", err)
	}
	if s, err := Look(c, server); err != nil || s.Server != server {
		t.Errorf("with a named server: %+v, %v", s.Server, err)
	}
	// A second, quieter server is found by its address.
	two := testdata(t, "uefi-x64-guide.pcap")
	other := proto.MAC{2, 0, 0, 0, 0, 9}
	offer := dhcpMessage(dhcp.Offer, 1, func(h *dhcp.Header, _ *dhcp.Writer) { h.SetOp(2) })
	b := udpFrame(other, proto.Broadcast, endpoint{server.Addr + 8, 67}, endpoint{proto.Limited, 68}, offer)
	two.Records = append(two.Records, Record{Time: two.Records[len(two.Records)-1].Time, Data: b, Length: len(b)})
	if s, err := Look(two, Server{Addr: server.Addr + 8}); err != nil || s.Server.MAC != other {
		t.Errorf("the second server is taken to be %+v, %v", s.Server, err)
	}
	if s, err := Look(two, Server{}); err != nil || s.Server.MAC != serverMAC {
		t.Errorf("the busier server is taken to be %+v, %v", s.Server, err)
	}
}

func TestLearnFiles(t *testing.T) {
	for name, want := range map[string][]Learned{
		"uefi-x64-guide.pcap": {{"ipxe.efi", 850528, 0, true}, {"refind.pxe", 366, 0, true}, {"refind.conf", 133, 0, true}, {"refind_x64.efi", 316264, 0, true}},
		"tftp-rollover.pcap":  {{"big.bin", 40000000, 0, true}},
	} {
		s, err := Look(testdata(t, name), Server{})
		if err != nil || !reflect.DeepEqual(s.Files, want) {
			t.Errorf("%s: %+v, %v; want %+v", name, s.Files, err, want)
		}
	}
}

func TestLearnSizes(t *testing.T) {
	request := func(mode string, options ...string) []byte {
		s := "\x00\x01a\x00" + mode + "\x00"
		for _, o := range options {
			s += o + "\x00"
		}
		return fromClient(69, []byte(s))
	}
	oack := func(s string) []byte { return fromServer(4000, []byte("\x00\x06"+s)) }
	block := func(n byte, length int) []byte {
		return fromServer(4000, append([]byte{0, 3, 0, n}, make([]byte, length)...))
	}
	for _, k := range []struct {
		name   string
		frames [][]byte
		want   Learned
		lines  int64 // line feeds in the synthetic file
	}{
		{"from tsize", [][]byte{request("octet", "tsize", "0"), oack("tsize\x00700\x00")}, Learned{"a", 700, 0, true}, 0},
		{"not from a tsize that was sent back", [][]byte{request("octet", "tsize", "5"), oack("tsize\x005\x00"), block(1, 512), block(2, 1)}, Learned{"a", 513, 0, true}, 0},
		{"from the blocks", [][]byte{request("octet"), block(1, 512), block(2, 512), block(3, 0)}, Learned{"a", 1024, 0, true}, 0},
		{"from an aborted transfer", [][]byte{request("octet"), block(1, 512)}, Learned{"a", 513, 0, false}, 0},
		{"from agreed blocks", [][]byte{request("octet", "blksize", "1024"), oack("blksize\x001024\x00"), block(1, 600)}, Learned{"a", 600, 0, true}, 0},
		{"line ends from netascii", [][]byte{request("octet"), block(1, 366), request("netascii"), block(1, 386)}, Learned{"a", 366, 386, true}, 20},
		{"netascii only", [][]byte{request("netascii"), block(1, 386)}, Learned{"a", 0, 386, false}, 0},
	} {
		t.Run(k.name, func(t *testing.T) {
			s, err := Look(conversation(k.frames...), server)
			if err != nil || len(s.Files) != 1 || s.Files[0] != k.want {
				t.Fatalf("learnt %+v, %v; want %+v", s.Files, err, k.want)
			}
			f := Synthetic(s.Files)[0]
			want := max(k.want.Size, k.want.Ends-k.lines)
			if k.lines > 0 {
				want = k.want.Size
			}
			if int64(len(f.Data)) != want || f.NetasciiSize != want+k.lines || image.NetasciiSize(f.Data) != want+k.lines {
				t.Errorf("made %d bytes, %d in netascii; want %d and %d more", len(f.Data), f.NetasciiSize, want, k.lines)
			}
		})
	}
}

// What a client asked for becomes a name below the root, once.
func TestSyntheticNames(t *testing.T) {
	var names []string
	for _, f := range Synthetic([]Learned{{Name: "/a"}, {Name: "a"}, {Name: "./b/c"}, {Name: "../d"}, {Name: "e/../f"}, {Name: "//g"}, {Name: ""}, {Name: "h//i"}, {Name: "."}}) {
		names = append(names, f.Name)
	}
	if want := []string{"a", "b/c", "g"}; !reflect.DeepEqual(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
}

func TestNeighbors(t *testing.T) {
	for name, want := range map[string]map[proto.Addr]proto.MAC{
		"linux-ping-conflict.pcap": {client: {2, 0, 0, 0, 0x0c, 0x99}},
		"linux-decline.pcap":       {client: {2, 0, 0, 0, 0x0c, 0x99}},
		"linux-dhclient.pcap":      {}, // the client answers for what it was given
		"linux-udhcpc.pcap":        {},
	} {
		s, err := Look(testdata(t, name), Server{})
		if err != nil || !reflect.DeepEqual(s.neighbors, want) {
			t.Errorf("%s: neighbours %v, %v; want %v", name, s.neighbors, err, want)
		}
	}
}

func TestQuoted(t *testing.T) {
	whole := append([]byte{3, 3, 0, 0, 0, 0, 0, 0}, fromServer(4000, []byte("x"))[14:]...)
	src, dst, ok := quoted(whole)
	if !ok || src != (endpoint{server.Addr, 4000}) || dst != (endpoint{client, 2000}) {
		t.Errorf("quoted %v to %v, %v", src, dst, ok)
	}
	other := append([]byte(nil), whole...)
	other[1] = 1 // host unreachable
	for _, bad := range [][]byte{whole[:20], whole[:8+20+3], other, nil} {
		if _, _, ok := quoted(bad); ok {
			t.Errorf("%x passes", bad)
		}
	}
}
