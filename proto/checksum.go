package proto

import (
	"encoding/binary"
	"math/bits"
)

// Sum adds b to a running ones' complement sum (RFC 1071) of 16-bit big-endian
// words; an odd last byte counts as the high half of a word. Only the last part
// of a datagram may be of odd length. Fold ends the sum.
//
// The sum is kept in 64 bits with end-around carry: 2^64-1 is a multiple of
// 2^16-1, so words may be added four at a time (RFC 1071 section 2(B) and (C)).
func Sum(sum uint64, b []byte) uint64 {
	var c uint64
	for len(b) >= 32 {
		q := (*[32]byte)(b)
		sum, c = bits.Add64(sum, binary.BigEndian.Uint64(q[0:8]), c)
		sum, c = bits.Add64(sum, binary.BigEndian.Uint64(q[8:16]), c)
		sum, c = bits.Add64(sum, binary.BigEndian.Uint64(q[16:24]), c)
		sum, c = bits.Add64(sum, binary.BigEndian.Uint64(q[24:32]), c)
		b = b[32:]
	}
	for len(b) >= 4 {
		sum, c = bits.Add64(sum, uint64(binary.BigEndian.Uint32(b)), c)
		b = b[4:]
	}
	if len(b) >= 2 {
		sum, c = bits.Add64(sum, uint64(b[0])<<8|uint64(b[1]), c)
		b = b[2:]
	}
	if len(b) == 1 {
		sum, c = bits.Add64(sum, uint64(b[0])<<8, c)
	}
	sum, c = bits.Add64(sum, 0, c)
	return sum + c
}

// Fold reduces a running sum to 16 bits, not complemented.
func Fold(sum uint64) uint16 {
	sum = sum>>32 + sum&0xffffffff
	sum = sum>>32 + sum&0xffffffff
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	return uint16(sum)
}

// PseudoSum is the running sum of the UDP pseudo header (RFC 768) for a
// datagram of length bytes, header included.
func PseudoSum(src, dst Addr, length int) uint64 {
	return uint64(src>>16) + uint64(src&0xffff) + uint64(dst>>16) + uint64(dst&0xffff) +
		ProtocolUDP + uint64(length)
}
