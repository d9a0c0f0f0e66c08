package pcap

import (
	"bytes"
	"testing"

	"bootstorm/proto"
)

func TestLookLayers(t *testing.T) {
	request := []byte("\x00\x01a\x00octet\x00")
	whole := fromClient(69, request)
	options := bytes.Clone(whole[:34]) // the same datagram behind an IP header with options
	options[14] = 0x46
	options = append(options, 1, 1, 1, 1)
	options = append(options, whole[34:]...)
	for _, k := range []struct {
		name  string
		frame []byte
		udp   bool
		want  view
	}{
		{"UDP", whole, true, view{etherType: 0x0800, network: 14, transport: 34, protocol: 17, src: client, dst: server.Addr, srcPort: 2000, dstPort: 69, payload: 42, length: len(request)}},
		{"UDP, padded", append(bytes.Clone(whole), 0, 0, 0), true, view{etherType: 0x0800, network: 14, transport: 34, protocol: 17, src: client, dst: server.Addr, srcPort: 2000, dstPort: 69, payload: 42, length: len(request)}},
		{"UDP, cut behind its header", whole[:42], true, view{etherType: 0x0800, network: 14, transport: 34, protocol: 17, src: client, dst: server.Addr, srcPort: 2000, dstPort: 69, payload: 42, length: len(request)}},
		{"UDP, cut in its header", whole[:40], false, view{etherType: 0x0800, network: 14, protocol: 17, src: client, dst: server.Addr, payload: 34}},
		{"UDP behind IP options", options, true, view{etherType: 0x0800, network: 14, transport: 38, protocol: 17, src: client, dst: server.Addr, srcPort: 2000, dstPort: 69, payload: 46, length: len(request)}},
		{"UDP behind a tag", tagged(whole), true, view{etherType: 0x0800, network: 18, transport: 38, protocol: 17, src: client, dst: server.Addr, srcPort: 2000, dstPort: 69, payload: 46, length: len(request)}},
		{"UDP behind two tags", tagged(tagged(whole)), true, view{etherType: 0x0800, network: 22, transport: 42, protocol: 17, src: client, dst: server.Addr, srcPort: 2000, dstPort: 69, payload: 50, length: len(request)}},
		{"first fragment", ipFrame(17, 0x2000, udp(69, "abc")), true, view{etherType: 0x0800, network: 14, transport: 34, protocol: 17, first: true, dstPort: 69, payload: 42, length: 3}},
		{"further fragment", ipFrame(17, 0x2005, []byte("abc")), false, view{etherType: 0x0800, network: 14, transport: 34, protocol: 17, rest: true, payload: 34}},
		{"TCP", ipFrame(6, 0, tcp("abc")), false, view{etherType: 0x0800, network: 14, transport: 34, protocol: 6, dstPort: 0, srcPort: 80, payload: 66}},
		{"TCP, data offset beyond the frame", ipFrame(6, 0, append(make([]byte, 12), 0xf0, 0, 0, 0, 0, 0, 0, 0)), false, view{etherType: 0x0800, network: 14, transport: 34, protocol: 6, payload: 54}},
		{"UDP over IPv6 is not ours", ipv6Frame(17, udp(547, "abc")), false, view{etherType: 0x86dd, network: 14, transport: 54, protocol: 17, dstPort: 547, payload: 62, length: 3}},
		{"first IPv6 fragment", ipv6Frame(44, append([]byte{17, 0, 0, 1, 0, 0, 0, 0}, udp(547, "abc")...)), false, view{etherType: 0x86dd, network: 14, transport: 62, protocol: 17, dstPort: 547, payload: 70, length: 3}},
		{"IP version 6 under EtherType 4", append(bytes.Clone(whole[:14]), 0x65, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), false, view{etherType: 0x0800, network: 14}},
		{"IP header length 4", append(bytes.Clone(whole[:14]), 0x41, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), false, view{etherType: 0x0800, network: 14}},
		{"ARP", append(make([]byte, 12), 8, 6, 0, 1), false, view{etherType: 0x0806, network: 14}},
		{"nothing", nil, false, view{}},
	} {
		t.Run(k.name, func(t *testing.T) {
			if got := look(k.frame); got != k.want || got.udp() != k.udp {
				t.Errorf("got  %+v %v\nwant %+v %v", got, got.udp(), k.want, k.udp)
			}
		})
	}
}

// The payload ends where UDP says, or where the capture does.
func TestBody(t *testing.T) {
	whole := fromClient(69, []byte("abcdef"))
	for _, k := range []struct {
		name  string
		frame []byte
		want  string
	}{
		{"whole", whole, "abcdef"},
		{"padded", append(bytes.Clone(whole), "xyz"...), "abcdef"},
		{"cut", whole[:45], "abc"},
		{"UDP length below its header", func() []byte { b := bytes.Clone(whole); b[38], b[39] = 0, 3; return b }(), ""},
	} {
		v := look(k.frame)
		if got := string(v.body(k.frame)); got != k.want {
			t.Errorf("%s: %q, want %q", k.name, got, k.want)
		}
	}
}

// Where the engine's own decoder accepts a frame of the captures, this one
// finds the same in it.
func TestLookAgrees(t *testing.T) {
	compared := 0
	for _, name := range []string{"uefi-x64-guide.pcap", "dhcp-probes.pcap", "tftp-probes.pcap", "linux-udhcpc.pcap"} {
		for i, r := range testdata(t, name).Records {
			var p proto.Packet
			if proto.ParseFrame(&p, r.Data, false) != proto.OK || p.Kind != proto.KindUDP {
				continue
			}
			v := look(r.Data)
			if !v.udp() || v.src != p.Src || v.dst != p.Dst || v.srcPort != p.SrcPort || v.dstPort != p.DstPort || !bytes.Equal(v.body(r.Data), p.Payload) {
				t.Errorf("%s, frame %d: %+v here, %+v there", name, i+1, v, p)
			}
			compared++
		}
	}
	if compared < 900 {
		t.Errorf("%d datagrams compared, want 900 and more", compared)
	}
}
