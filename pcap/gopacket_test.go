package pcap

import (
	"bytes"
	"fmt"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// agree decodes a frame of ours with gopacket and compares everything that it
// finds with what our own decoders find, the checksums included.
func agree(b []byte) error {
	if isAdvert(b) {
		return agreeAdvert(b)
	}
	var p proto.Packet
	if drop := proto.ParseFrame(&p, b, true); drop != proto.OK {
		return fmt.Errorf("our own decoder drops it: %v", drop)
	}
	var eth layers.Ethernet
	if err := eth.DecodeFromBytes(b, gopacket.NilDecodeFeedback); err != nil {
		return err
	}
	if !bytes.Equal(eth.SrcMAC, p.SrcMAC[:]) || !bytes.Equal(eth.DstMAC, p.DstMAC[:]) {
		return fmt.Errorf("link addresses %v to %v, ours %v to %v", eth.SrcMAC, eth.DstMAC, p.SrcMAC, p.DstMAC)
	}
	switch eth.EthernetType {
	case layers.EthernetTypeARP:
		return agreeARP(eth.Payload, &p.ARP)
	case layers.EthernetTypeIPv4:
		return agreeIP(eth.Payload, &p)
	}
	return fmt.Errorf("EtherType %v", eth.EthernetType)
}

// agreeAdvert wants a router advertisement that says no more than that there is
// no router.
func agreeAdvert(b []byte) error {
	packet := gopacket.NewPacket(b, layers.LayerTypeEthernet, gopacket.Default)
	a, ok := packet.Layer(layers.LayerTypeICMPv6RouterAdvertisement).(*layers.ICMPv6RouterAdvertisement)
	if !ok {
		return fmt.Errorf("no router advertisement: %v", packet.ErrorLayer())
	}
	if a.Flags != 0 || a.RouterLifetime != 0 || len(a.Options) != 1 || a.Options[0].Type != layers.ICMPv6OptSourceAddress {
		return fmt.Errorf("router advertisement %+v", a)
	}
	return nil
}

func agreeARP(b []byte, ours *proto.ARP) error {
	var a layers.ARP
	if err := a.DecodeFromBytes(b, gopacket.NilDecodeFeedback); err != nil {
		return err
	}
	sender, target := ours.SenderAddr.Bytes(), ours.TargetAddr.Bytes()
	if a.AddrType != layers.LinkTypeEthernet || a.Protocol != layers.EthernetTypeIPv4 || a.Operation != ours.Op ||
		!bytes.Equal(a.SourceHwAddress, ours.SenderMAC[:]) || !bytes.Equal(a.SourceProtAddress, sender[:]) ||
		!bytes.Equal(a.DstHwAddress, ours.TargetMAC[:]) || !bytes.Equal(a.DstProtAddress, target[:]) {
		return fmt.Errorf("ARP %+v, ours %+v", a, ours)
	}
	return nil
}

func agreeIP(b []byte, p *proto.Packet) error {
	var ip layers.IPv4
	if err := ip.DecodeFromBytes(b, gopacket.NilDecodeFeedback); err != nil {
		return err
	}
	var udp layers.UDP
	if err := udp.DecodeFromBytes(ip.Payload, gopacket.NilDecodeFeedback); err != nil {
		return err
	}
	if ip.SrcIP.String() != p.Src.String() || ip.DstIP.String() != p.Dst.String() || ip.Protocol != layers.IPProtocolUDP || ip.FragOffset != 0 ||
		uint16(udp.SrcPort) != p.SrcPort || uint16(udp.DstPort) != p.DstPort || !bytes.Equal(udp.Payload, p.Payload) {
		return fmt.Errorf("%v:%v to %v:%v with %d bytes, ours %+v", ip.SrcIP, udp.SrcPort, ip.DstIP, udp.DstPort, len(udp.Payload), p)
	}
	if err := agreeChecksums(ip, udp, b[:int(ip.Length)]); err != nil {
		return err
	}
	if p.SrcPort == proto.PortBOOTPServer || p.SrcPort == proto.PortPXE {
		return agreeDHCP(p.Payload)
	}
	return nil
}

// agreeChecksums serializes the headers again with gopacket's own arithmetic
// and expects the same bytes.
func agreeChecksums(ip layers.IPv4, udp layers.UDP, want []byte) error {
	if udp.Checksum == 0 {
		return fmt.Errorf("no UDP checksum")
	}
	if err := udp.SetNetworkLayerForChecksum(&ip); err != nil {
		return err
	}
	buffer := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, &ip, &udp, gopacket.Payload(udp.Payload))
	if err != nil {
		return err
	}
	theirs := buffer.Bytes()
	if theirs[26] == 0 && theirs[27] == 0 { // gopacket leaves a sum of zero, which means "no checksum" (RFC 768)
		theirs[26], theirs[27] = 0xff, 0xff
	}
	if !bytes.Equal(theirs, want) {
		return fmt.Errorf("serialized again the datagram is\n%x, ours\n%x", theirs[:28], want[:28])
	}
	return nil
}

func agreeDHCP(b []byte) error {
	var d layers.DHCPv4
	if err := d.DecodeFromBytes(b, gopacket.NilDecodeFeedback); err != nil {
		return err
	}
	m, ok := parseDHCP(b)
	h := dhcp.View(b)
	if !ok || h == nil {
		return fmt.Errorf("our own decoder finds no message")
	}
	if byte(d.Operation) != h.Op() || byte(d.HardwareType) != h.HType() || d.HardwareLen != h.HLen() || d.HardwareOpts != h.Hops() || d.Xid != h.XID() || d.Secs != h.Secs() ||
		d.Flags != h.Flags() || d.ClientIP.String() != h.CIAddr().String() || d.YourClientIP.String() != h.YIAddr().String() ||
		d.NextServerIP.String() != h.SIAddr().String() || d.RelayAgentIP.String() != h.GIAddr().String() ||
		!bytes.Equal(d.ServerName, h.SName()[:]) || !bytes.Equal(d.File, h.File()[:]) {
		return fmt.Errorf("message %+v, ours %v", d, m.fields)
	}
	var theirs []tlv
	for _, o := range d.Options {
		if o.Type != layers.DHCPOptPad && o.Type != layers.DHCPOptEnd {
			theirs = append(theirs, tlv{code: byte(o.Type), data: o.Data})
		}
	}
	if len(theirs) != len(m.options) {
		return fmt.Errorf("%d options, ours %d", len(theirs), len(m.options))
	}
	var index dhcp.Options
	index.Parse(b)
	for i, o := range m.options {
		if theirs[i].code != o.code || !bytes.Equal(theirs[i].data, o.data) || !index.Has(o.code) {
			return fmt.Errorf("option %d is %x, ours %d %x", theirs[i].code, theirs[i].data, o.code, o.data)
		}
	}
	return nil
}
