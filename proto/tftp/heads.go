package tftp

// MaxRun is the longest run of DATA headers that Heads returns in one piece.
const MaxRun = 64

// blocks is how many block numbers there are; behind 65535 follows 0.
const blocks = 1 << 16

// heads holds the DATA header of every block number, in order, and the first
// MaxRun of them again, so that a run across the wrap is contiguous. 256 KiB,
// written once at start and shared by all that send.
var heads = makeHeads()

func makeHeads() *[(blocks + MaxRun) * HeaderLen]byte {
	t := new([(blocks + MaxRun) * HeaderLen]byte)
	for i := range blocks + MaxRun {
		PutHeader((*[HeaderLen]byte)(t[i*HeaderLen:]), OpData, uint16(i))
	}
	return t
}

// Heads returns the headers of n consecutive DATA packets from block on, four
// bytes each: opcode 3 and the block number (RFC 1350 section 5). n is at most
// MaxRun. The view is shared and must not be written.
func Heads(block uint16, n int) []byte {
	at := int(block) * HeaderLen
	return heads[at : at+n*HeaderLen : at+n*HeaderLen]
}
