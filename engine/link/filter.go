//go:build linux

package link

import (
	"golang.org/x/net/bpf"

	"bootstorm/proto"
)

const (
	pass       = 0x40000 // bytes to keep: all
	otherHost  = 3       // PACKET_OTHERHOST (packet(7)); 4 is PACKET_OUTGOING
	fragmented = 0x3fff  // more-fragments flag and fragment offset (RFC 791)
	ipAt       = proto.EthernetLen
)

// ipFilter passes the IPv4 frames that the core handles: UDP to one of our
// ports, what other DHCP servers broadcast to clients, and ICMP port unreachable
// (type 3, code 3). Our own replies are no burden: a socket bound to one protocol
// does not see what this host sends (packet(7)). Frames to another host are
// refused, which includes frames of a VLAN: the kernel has removed their tag and
// marked them as another host's when no VLAN interface takes them.
func ipFilter() []bpf.Instruction {
	ports := []uint32{proto.PortBOOTPServer, proto.PortTFTP, proto.PortPXE}
	return []bpf.Instruction{
		/* 0 */ bpf.LoadExtension{Num: bpf.ExtType},
		/* 1 */ bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: otherHost, SkipTrue: 16},
		/* 2 */ bpf.LoadAbsolute{Off: 12, Size: 2},
		/* 3 */ bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: proto.EtherTypeIPv4, SkipTrue: 14},
		/* 4 */ bpf.LoadAbsolute{Off: ipAt + 6, Size: 2},
		/* 5 */ bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: fragmented, SkipTrue: 12},
		/* 6 */ bpf.LoadMemShift{Off: ipAt}, // X = length of the IP header
		/* 7 */ bpf.LoadAbsolute{Off: ipAt + 9, Size: 1},
		/* 8 */ bpf.JumpIf{Cond: bpf.JumpEqual, Val: proto.ProtocolICMP, SkipTrue: 6},
		/* 9 */ bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: proto.ProtocolUDP, SkipTrue: 8},
		/* 10 */ bpf.LoadIndirect{Off: ipAt + 2, Size: 2}, // destination port
		/* 11 */ bpf.JumpIf{Cond: bpf.JumpEqual, Val: ports[0], SkipTrue: 5},
		/* 12 */ bpf.JumpIf{Cond: bpf.JumpEqual, Val: ports[1], SkipTrue: 4},
		/* 13 */ bpf.JumpIf{Cond: bpf.JumpEqual, Val: ports[2], SkipTrue: 3},
		/* 14 */ bpf.JumpIf{Cond: bpf.JumpEqual, Val: proto.PortBOOTPClient, SkipTrue: 2, SkipFalse: 3},
		/* 15 */ bpf.LoadIndirect{Off: ipAt, Size: 2}, // ICMP type and code
		/* 16 */ bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0x0303, SkipTrue: 1},
		/* 17 */ bpf.RetConstant{Val: pass},
		/* 18 */ bpf.RetConstant{Val: 0},
	}
}

// solicitFilter passes router solicitations (RFC 4861 section 4.1): ICMPv6 right
// behind the IPv6 header, type 133. Like the ones above it refuses what is not
// for this host.
func solicitFilter() []bpf.Instruction {
	return []bpf.Instruction{
		/* 0 */ bpf.LoadExtension{Num: bpf.ExtType},
		/* 1 */ bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: otherHost, SkipTrue: 5},
		/* 2 */ bpf.LoadAbsolute{Off: ipAt + 6, Size: 1}, // next header
		/* 3 */ bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: proto.ProtocolICMPv6, SkipTrue: 3},
		/* 4 */ bpf.LoadAbsolute{Off: ipAt + proto.IPv6Len, Size: 1}, // type
		/* 5 */ bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: proto.RouterSolicitation, SkipTrue: 1},
		/* 6 */ bpf.RetConstant{Val: pass},
		/* 7 */ bpf.RetConstant{Val: 0},
	}
}

// arpFilter passes the ARP frames that the host itself would look at.
func arpFilter() []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: otherHost, SkipTrue: 1},
		bpf.RetConstant{Val: pass},
		bpf.RetConstant{Val: 0},
	}
}
