//go:build linux

package link

import (
	"fmt"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"bootstorm/proto"
)

// share is the place of a Set among those that serve the same interfaces, each
// from a goroutine of its own. The first receives what only one may answer:
// DHCP, ARP and router solicitations. TFTP is spread over all by the address of
// the client, so that everything a client sends in a transfer comes to one.
type share struct {
	member, members int
	groups          []int // by interface: the number of its fan-out group (packet(7)); made by the first
}

// alone marks an interface that the first serves alone: it was down when it was
// opened, and the kernel shares only what receives.
const alone = -1

// OpenShared is Open for n goroutines: it opens n Sets that share what comes in
// by the interfaces, as described at share. Every one may send anything. The
// send buffer is shared, too.
func OpenShared(names []string, n int, o Options) (sets []*Set, err error) {
	n = max(n, 1)
	if o.SendBuffer == 0 {
		o.SendBuffer = defaultSendBuffer
	}
	o.SendBuffer /= n
	sh := share{members: n, groups: make([]int, len(names))}
	for sh.member = 0; sh.member < n; sh.member++ {
		s, err := open(names, o, &sh)
		if err != nil {
			for _, s := range sets {
				s.Close()
			}
			return nil, err
		}
		sets = append(sets, s)
	}
	return sets, nil
}

// receives tells whether this member has the socket of that kind on a link.
func (sh *share) receives(link uint8, kind int) bool {
	return sh.member == 0 || kind == inIP && sh.groups[link] != alone
}

// firstFilter is what the IPv4 socket is opened with. A further member must not
// see a frame before it is in the group: the first would have it as well, and a
// request would be answered twice.
func (sh *share) firstFilter() []bpf.Instruction {
	if sh.member == 0 {
		return ipFilter()
	}
	return []bpf.Instruction{bpf.RetConstant{Val: 0}}
}

// join puts the IPv4 socket of an interface into its group and lets it receive.
func (sh *share) join(link uint8, fd int, up bool) error {
	if sh.members == 1 || fd < 0 {
		return nil
	}
	if sh.member == 0 && !up {
		sh.groups[link] = alone
		return nil
	}
	mode := unix.PACKET_FANOUT_CBPF << 16
	if sh.member == 0 {
		mode |= unix.PACKET_FANOUT_FLAG_UNIQUEID << 16 // the kernel finds a number that nobody uses
	} else {
		mode |= sh.groups[link]
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_FANOUT, mode); err != nil {
		return fmt.Errorf("share the interface among workers (PACKET_FANOUT): %w; serve with --workers 1", err)
	}
	if sh.member > 0 {
		return attach(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, ipFilter())
	}
	id, err := unix.GetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
	if err != nil {
		return fmt.Errorf("PACKET_FANOUT: %w", err)
	}
	sh.groups[link] = id & 0xffff
	return attach(fd, unix.SOL_PACKET, unix.PACKET_FANOUT_DATA, spread(uint32(sh.members)))
}

// attach sets a program of the classic BPF as a socket option.
func attach(fd, level, option int, program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return fmt.Errorf("socket filter: %w", err)
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	fprog := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	if err := unix.SetsockoptSockFprog(fd, level, option, &fprog); err != nil {
		return fmt.Errorf("socket filter: %w", err)
	}
	return nil
}

// spread returns the number of the member that gets a frame: TFTP and ICMP, which
// is about TFTP, by the client's address; the rest goes to the first. Unlike a
// socket filter this program sees the frame from its IPv4 header on.
func spread(members uint32) []bpf.Instruction {
	return []bpf.Instruction{
		/* 0 */ bpf.LoadAbsolute{Off: 9, Size: 1}, // protocol
		/* 1 */ bpf.JumpIf{Cond: bpf.JumpEqual, Val: proto.ProtocolICMP, SkipTrue: 4},
		/* 2 */ bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: proto.ProtocolUDP, SkipTrue: 6},
		/* 3 */ bpf.LoadMemShift{Off: 0}, // X = length of the header
		/* 4 */ bpf.LoadIndirect{Off: 2, Size: 2}, // destination port
		/* 5 */ bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: proto.PortTFTP, SkipTrue: 3},
		/* 6 */ bpf.LoadAbsolute{Off: 12, Size: 4}, // source address
		/* 7 */ bpf.ALUOpConstant{Op: bpf.ALUOpMod, Val: members},
		/* 8 */ bpf.RetA{},
		/* 9 */ bpf.RetConstant{Val: 0},
	}
}
