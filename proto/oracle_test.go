package proto

import (
	"bytes"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/mdlayher/ethernet"
)

// randomPayload is a payload of n bytes that depends on n alone.
func randomPayload(n int) []byte {
	r := rand.New(rand.NewPCG(uint64(n), 768))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// What we build, gopacket reads as meant.
func TestGopacketReadsOurFrames(t *testing.T) {
	for _, n := range []int{0, 1, 2, 31, 32, 33, 300, 548, 1471, 1472} {
		payload := randomPayload(n)
		packet := gopacket.NewPacket(udpFrame(payload), layers.LayerTypeEthernet, gopacket.Default)
		if e := packet.ErrorLayer(); e != nil {
			t.Fatalf("%d bytes: %v", n, e.Error())
		}
		eth := packet.Layer(layers.LayerTypeEthernet).(*layers.Ethernet)
		ip := packet.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
		udp := packet.Layer(layers.LayerTypeUDP).(*layers.UDP)
		if MAC(eth.SrcMAC) != serverMAC || MAC(eth.DstMAC) != clientMAC || eth.EthernetType != layers.EthernetTypeIPv4 {
			t.Errorf("%d bytes: ethernet %v", n, eth)
		}
		if ip.SrcIP.String() != serverAddr.String() || ip.DstIP.String() != clientAddr.String() ||
			int(ip.Length) != 28+n || ip.TTL != 64 || ip.Flags != layers.IPv4DontFragment || ip.Id != 7 {
			t.Errorf("%d bytes: ip %v", n, ip)
		}
		if udp.SrcPort != PortTFTP || udp.DstPort != 2070 || int(udp.Length) != 8+n || !bytes.Equal(udp.Payload, payload) {
			t.Errorf("%d bytes: udp %v", n, udp)
		}
	}
}

// What gopacket builds, checksums included, is byte for byte what we build,
// and we read it.
func TestGopacketBuildsOurFrames(t *testing.T) {
	for _, n := range []int{0, 1, 17, 300, 1472} {
		payload := randomPayload(n)
		ip := &layers.IPv4{Version: 4, IHL: 5, TTL: 64, Id: 7, Flags: layers.IPv4DontFragment, Protocol: layers.IPProtocolUDP,
			SrcIP: net.IP(bytesOf(serverAddr)), DstIP: net.IP(bytesOf(clientAddr))}
		udp := &layers.UDP{SrcPort: PortTFTP, DstPort: 2070}
		if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
			t.Fatal(err)
		}
		theirs := serialize(t, &layers.Ethernet{SrcMAC: serverMAC[:], DstMAC: clientMAC[:],
			EthernetType: layers.EthernetTypeIPv4}, ip, udp, gopacket.Payload(payload))
		// The library pads short frames; we leave that to the driver.
		if ours := udpFrame(payload); !bytes.Equal(ours, theirs[:len(ours)]) {
			t.Errorf("%d bytes:\nours   % x\ntheirs % x", n, ours, theirs)
		}
		var p Packet
		if d := ParseFrame(&p, theirs, true); d != OK || !bytes.Equal(p.Payload, payload) {
			t.Errorf("%d bytes: %s, payload of %d", n, d, len(p.Payload))
		}
	}
}

func bytesOf(a Addr) []byte {
	b := a.Bytes()
	return b[:]
}

func serialize(t *testing.T, l ...gopacket.SerializableLayer) []byte {
	t.Helper()
	buf := gopacket.NewSerializeBuffer()
	o := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, o, l...); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestGopacketAndARP(t *testing.T) {
	a := ARP{Op: ARPReply, SenderMAC: serverMAC, SenderAddr: serverAddr, TargetMAC: clientMAC, TargetAddr: clientAddr}
	theirs := serialize(t,
		&layers.Ethernet{SrcMAC: serverMAC[:], DstMAC: clientMAC[:], EthernetType: layers.EthernetTypeARP},
		&layers.ARP{AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6,
			ProtAddressSize: 4, Operation: layers.ARPReply, SourceHwAddress: serverMAC[:], SourceProtAddress: bytesOf(serverAddr),
			DstHwAddress: clientMAC[:], DstProtAddress: bytesOf(clientAddr)})
	var ours [EthernetLen + ARPLen]byte
	PutARP(&ours, serverMAC, clientMAC, &a)
	if !bytes.Equal(ours[:], theirs[:len(ours)]) {
		t.Errorf("ours   % x\ntheirs % x", ours, theirs)
	}
	var p Packet
	if d := ParseFrame(&p, theirs, true); d != OK || p.ARP != a {
		t.Errorf("%s: %+v", d, p.ARP)
	}
}

func TestGopacketAndUnreachable(t *testing.T) {
	quote := udpFrame([]byte("DATA"))[EthernetLen:]
	theirs := serialize(t,
		&layers.Ethernet{SrcMAC: clientMAC[:], DstMAC: serverMAC[:], EthernetType: layers.EthernetTypeIPv4},
		&layers.IPv4{Version: 4, IHL: 5, TTL: 64, Protocol: layers.IPProtocolICMPv4, SrcIP: bytesOf(clientAddr), DstIP: bytesOf(serverAddr)},
		&layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(layers.ICMPv4TypeDestinationUnreachable, layers.ICMPv4CodePort)},
		gopacket.Payload(quote))
	var p Packet
	if d := ParseFrame(&p, theirs, true); d != OK || p.Kind != KindUnreachable || p.SrcPort != PortTFTP || p.DstPort != 2070 {
		t.Errorf("%s: %+v", d, p)
	}
}

// The Ethernet header agrees with mdlayher/ethernet in both directions.
func TestMdlayherEthernet(t *testing.T) {
	ours := udpFrame(randomPayload(300))
	var f ethernet.Frame
	if err := f.UnmarshalBinary(ours); err != nil {
		t.Fatal(err)
	}
	if MAC(f.Source) != serverMAC || MAC(f.Destination) != clientMAC || f.EtherType != EtherTypeIPv4 || f.VLAN != nil {
		t.Errorf("read as %+v", f)
	}
	theirs, err := f.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(ours, theirs) {
		t.Errorf("ours   % x\ntheirs % x", ours, theirs)
	}
	f.VLAN = &ethernet.VLAN{ID: 5}
	tagged, err := f.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var p Packet
	if d := ParseFrame(&p, tagged, true); d != DropEtherType {
		t.Errorf("a tagged frame is %s", d)
	}
}
