//go:build linux

package segment

import (
	"encoding/binary"

	"bootstorm/proto"
)

// Fields of struct virtio_net_hdr, in the machine's byte order
// (linux/virtio_net.h).
const (
	needsChecksum = 1    // flags: the checksum is the pseudo header's only
	gsoUDP        = 5    // gso_type: VIRTIO_NET_HDR_GSO_UDP_L4
	gsoECN        = 0x80 // a flag in gso_type
)

// deliver calls f for a received frame, or for each datagram of a run.
func (c *Conn) deliver(vnet, frame []byte, f func(frame []byte, checksum bool)) {
	finished := vnet[0]&needsChecksum == 0
	if vnet[1]&^gsoECN != gsoUDP {
		f(frame, finished)
		return
	}
	size := int(binary.NativeEndian.Uint16(vnet[4:6]))
	if len(frame) < proto.HeadersLen || size == 0 || proto.HeadersLen+size > len(c.cut) {
		f(frame, finished)
		return
	}
	payload := frame[proto.HeadersLen:]
	for i := 0; i == 0 || i*size < len(payload); i++ {
		b := append(c.cut[:0], frame[:proto.HeadersLen]...)
		b = append(b, payload[min(i*size, len(payload)):min((i+1)*size, len(payload))]...)
		id := binary.BigEndian.Uint16(b[18:20]) + uint16(i)
		binary.BigEndian.PutUint16(b[18:20], id)
		proto.SetPayloadLen((*[proto.HeadersLen]byte)(b), len(b)-proto.HeadersLen)
		f(b, false)
	}
}
