package ceiling

import (
	"encoding/binary"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// The two ends. The server's is the one that is measured.
var (
	serverMAC  = proto.MAC{2, 0, 0, 0, 0, 1}
	peerMAC    = proto.MAC{2, 0, 0, 0, 0, 2}
	serverAddr = proto.AddrOf(192, 168, 1, 1)
	peerAddr   = proto.AddrOf(192, 168, 1, 2)
)

// Sizes of payloads in bytes, as they occur in a boot.
const (
	discoverLen = 300  // a DHCP message
	ackLen      = 4    // TFTP ACK
	dataBlock   = 1432 // what iPXE asks for
	runBlock    = 1468 // what edk2 asks for
	peerPort    = 2070
	dataHeader  = 4 // opcode and block number
	opAck       = 4
	opData      = 3
)

// request is a frame from the peer to the server with a payload of so many
// bytes, complete with its checksums.
func request(port uint16, payload []byte) []byte { return requestFrom(peerPort, port, payload) }

// requestFrom is request from a port of choice.
func requestFrom(from, port uint16, payload []byte) []byte {
	frame := make([]byte, proto.HeadersLen+len(payload))
	copy(frame[proto.HeadersLen:], payload)
	head := (*[proto.HeadersLen]byte)(frame)
	proto.PutHeaders(head, peerMAC, serverMAC, peerAddr, serverAddr, from, port, 1, len(payload))
	proto.FinishUDP(head, frame[proto.HeadersLen:], nil)
	return frame
}

// single fills in a single-frame message from the server to the peer.
func single(m *batch.Message, payload []byte) {
	m.HeadLen = proto.HeadersLen + copy(m.Head[proto.HeadersLen:], payload)
	head := (*[proto.HeadersLen]byte)(m.Head[:])
	proto.PutHeaders(head, serverMAC, peerMAC, serverAddr, peerAddr, proto.PortTFTP, peerPort, 1, len(payload))
	proto.FinishUDP(head, payload, nil)
}

// blocks is what runs are made of: block headers and data for the longest.
type blocks struct{ heads, data []byte }

func newBlocks(segments int) blocks {
	b := blocks{data: make([]byte, segments*runBlock)}
	for i := range segments {
		b.heads = binary.BigEndian.AppendUint16(append(b.heads, 0, opData), uint16(i+1))
	}
	return b
}

// run fills in a message of so many DATA frames.
func (b *blocks) run(m *batch.Message, segments int) {
	m.HeadLen, m.Size, m.Segments = proto.HeadersLen, runBlock, uint16(segments)
	m.Heads, m.Data = b.heads[:dataHeader*segments], b.data[:segments*runBlock]
	proto.PutHeaders((*[proto.HeadersLen]byte)(m.Head[:]), serverMAC, peerMAC, serverAddr, peerAddr, proto.PortTFTP, peerPort, 1, dataHeader+runBlock)
}
