package rehearse

import (
	"net"
	"time"

	"bootstorm/engine/capture"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
	"bootstorm/proto/tftp"
)

// began is when the boot of the frames began: they do not change.
var began = time.Now().Add(-time.Minute).Round(time.Millisecond)

// The server of the frames, and what it gives to whoever asks.
var (
	serverMAC = proto.MAC{0x02, 0, 0, 0, 0, 1}
	server    = proto.AddrOf(10, 20, 0, 1)
	given     = proto.AddrOf(10, 20, 0, 42)
)

// Frames implements view.Requests: a boot up to its first blocks, the same for every
// node.
func (*Engine) Frames(mac string, _ int) (list []capture.Frame, err error) {
	hw, err := net.ParseMAC(mac)
	if err != nil {
		return nil, err
	}
	node, at := proto.MAC(hw), began
	add := func(after time.Duration, sent bool, from, to proto.Addr, fromPort, toPort uint16, payload []byte) *capture.Frame {
		src, dst := node, serverMAC
		if sent {
			src, dst = serverMAC, node
		}
		if to == proto.Limited {
			dst = proto.Broadcast
		}
		b := append(make([]byte, proto.HeadersLen), payload...)
		head := (*[proto.HeadersLen]byte)(b)
		proto.PutHeaders(head, src, dst, from, to, fromPort, toPort, 0, len(payload))
		proto.FinishUDP(head, payload, nil)
		at = at.Add(after)
		list = append(list, capture.Frame{At: at, Link: "bond0", Sent: sent, Length: len(b), Data: b})
		return &list[len(list)-1]
	}
	const ms = time.Millisecond
	add(0, false, 0, proto.Limited, 68, 67, message(node, dhcp.Discover))
	add(ms, true, server, proto.Limited, 67, 68, message(node, dhcp.Offer))
	add(2012*ms, false, 0, proto.Limited, 68, 67, message(node, dhcp.Request))
	add(3*ms, true, server, proto.Limited, 67, 68, message(node, dhcp.Ack))
	request := tftp.AppendRequest(nil, tftp.OpRRQ, "ipxe.efi", "octet")
	for _, o := range []string{"tsize", "0", "blksize", "1468", "windowsize", "4"} {
		request = append(append(request, o...), 0)
	}
	add(41*ms, false, given, server, 1532, 69, request)
	add(ms, true, server, given, 69, 1532, append([]byte{0, tftp.OpOack}, "tsize\x001093632\x00blksize\x001468\x00windowsize\x004\x00"...))
	for block := uint16(0); block < 12; block += 4 {
		add(ms, false, given, server, 1532, 69, tftp.AppendHeader(nil, tftp.OpAck, block))
		run := add(ms, true, server, given, 69, 1532, append(tftp.AppendHeader(nil, tftp.OpData, block+1), make([]byte, 1468)...))
		run.Data, run.Run, run.Bytes = run.Data[:proto.HeadersLen+tftp.HeaderLen], 4, 4*1468
	}
	return list, nil
}

// message is a DHCP message of UEFI firmware, or the answer to one.
func message(node proto.MAC, kind dhcp.Type) []byte {
	var buf [1024]byte
	var w dhcp.Writer
	h := w.Reset(buf[:])
	h[1], h[2] = 1, 6
	h.SetXID(0x5e4f0a29)
	h.SetFlags(dhcp.FlagBcast)
	copy(h.CHAddr()[:], node[:])
	w.Option(dhcp.OptMessageType, []byte{byte(kind)})
	own, address := server.Bytes(), given.Bytes()
	if kind == dhcp.Offer || kind == dhcp.Ack {
		h.SetOp(dhcp.BootReply)
		h.SetYIAddr(given)
		h.SetSIAddr(server)
		copy(h.File()[:], "ipxe.efi")
		w.Option(dhcp.OptServerID, own[:])
		w.Option(dhcp.OptLeaseTime, []byte{0, 0, 0x1c, 0x20})
		w.Option(dhcp.OptSubnetMask, []byte{255, 255, 252, 0})
		w.Option(dhcp.OptRouters, own[:])
		w.Option(dhcp.OptBootSize, []byte{0x08, 0x58})
		w.Option(dhcp.OptEncapsulatedIPXE, []byte{176, 1, 1})
		return buf[:w.End()]
	}
	h.SetOp(dhcp.BootRequest)
	if kind == dhcp.Request {
		w.Option(dhcp.OptRequestedAddr, address[:])
		w.Option(dhcp.OptServerID, own[:])
	}
	w.Option(dhcp.OptMaxMessageSize, []byte{0x05, 0xc0})
	w.Option(dhcp.OptParameterList, []byte{1, 2, 3, 4, 5, 6, 12, 13, 15, 43, 54, 60, 66, 67, 97, 128})
	w.Option(dhcp.OptClientUUID, append([]byte{0, 0x44, 0x45, 0x4c, 0x4c, 0x42, 0, 0x10, 0x35, 0x80, 0x52}, node[:]...))
	w.Option(dhcp.OptClientNDI, []byte{1, 3, 16})
	w.Option(dhcp.OptClientArch, []byte{0, 7})
	w.Option(dhcp.OptVendorClass, []byte("PXEClient:Arch:00007:UNDI:003016"))
	return buf[:w.End()]
}
