// Package tftp is the wire format of the Trivial File Transfer Protocol:
// RFC 1350 with the options of RFC 2347 (negotiation), 2348 (blksize), 2349
// (tsize, timeout) and 7440 (windowsize). It has no state and allocates
// nothing: what is parsed are views into the datagram, what is written goes to
// the caller's buffer.
//
// # Odd requests
//
// Firmware sends odd requests, and a refusal ends its boot, so whatever leaves
// no doubt about the file is served. A Status says what cannot be.
//
//	request                                   result
//	mode in any case                          accepted (RFC 1350 section 1)
//	mode other than octet and netascii        UnknownMode
//	"mail"                                    UnknownMode (obsolete, RFC 1350)
//	no mode, or an empty one                  Malformed
//	no NUL behind name, mode or last option   Malformed: the rest may be missing
//	empty name                                OK: no file has that name
//	bytes above 127, controls in the name     OK: names are bytes
//	option name in any case                   accepted, echoed as it was spelled (RFC 2347)
//	option name without a value at the end    ignored
//	unknown option (also utimeout, rollover,
//	  blksize2, multicast)                    ignored, however many
//	option given twice                        the first usable one counts
//	value empty, signed, with spaces or
//	  letters                                 option ignored
//	value beyond 64 bits                      taken as the largest number
//	blksize below 8                           option ignored, not ERROR 8: the client falls back to 512
//	blksize above 65464                       taken as 65464; the server may always grant less (RFC 2348)
//	timeout outside 1 to 255                  option ignored
//	windowsize 0                              option ignored
//	windowsize above 65535                    taken as 65535; the server may always grant less (RFC 7440)
//	tsize other than 0                        accepted: the answer is the real size (RFC 2349)
package tftp

import "encoding/binary"

// Opcodes (RFC 1350 section 5, RFC 2347).
const (
	OpRRQ   = 1
	OpWRQ   = 2
	OpData  = 3
	OpAck   = 4
	OpError = 5
	OpOack  = 6
)

// Error codes (RFC 1350 appendix, RFC 2347 for 8).
const (
	ErrUndefined    = 0
	ErrNotFound     = 1
	ErrAccess       = 2
	ErrDiskFull     = 3
	ErrIllegal      = 4
	ErrUnknownID    = 5
	ErrExists       = 6
	ErrNoUser       = 7
	ErrOptionDenied = 8
)

// Sizes in bytes.
const (
	HeaderLen      = 4     // opcode 0, block or error code 2
	DefaultBlksize = 512   // without the blksize option
	MinBlksize     = 8     // RFC 2348
	MaxBlksize     = 65464 // RFC 2348
)

// Opcode returns the opcode of a datagram and the 16-bit field behind it, which
// is the block number of DATA and ACK and the code of ERROR. ok is false if the
// datagram is too short to have both.
func Opcode(b []byte) (op, field uint16, ok bool) {
	if len(b) < HeaderLen {
		return 0, 0, false
	}
	h := (*[HeaderLen]byte)(b)
	return uint16(h[0])<<8 | uint16(h[1]), uint16(h[2])<<8 | uint16(h[3]), true
}

// IsRequest tells whether the datagram begins as an RRQ or a WRQ; both are
// longer than HeaderLen or malformed.
func IsRequest(b []byte) bool {
	return len(b) >= 2 && b[0] == 0 && (b[1] == OpRRQ || b[1] == OpWRQ)
}

// ErrorText returns the message of an ERROR, without its NUL, which some
// clients leave out. The view is empty if there is none.
func ErrorText(b []byte) []byte {
	if len(b) <= HeaderLen {
		return nil
	}
	text, _, _ := cut(b[HeaderLen:])
	return text
}

// PutHeader writes the header of a DATA, ACK or ERROR: opcode, then block
// number or error code.
func PutHeader(b *[HeaderLen]byte, op, field uint16) {
	binary.BigEndian.PutUint16(b[0:2], op)
	binary.BigEndian.PutUint16(b[2:4], field)
}

// AppendHeader appends the header of a DATA, ACK or ERROR.
func AppendHeader(b []byte, op, field uint16) []byte {
	return append(b, byte(op>>8), byte(op), byte(field>>8), byte(field))
}

// AppendError appends a whole ERROR packet.
func AppendError(b []byte, code uint16, text string) []byte {
	return append(append(AppendHeader(b, OpError, code), text...), 0)
}

// AppendOpcode appends an opcode alone: the start of an OACK or a request.
func AppendOpcode(b []byte, op uint16) []byte { return append(b, byte(op>>8), byte(op)) }

// AppendOption appends an option and its decimal value, each with its NUL
// (RFC 2347).
func AppendOption(b, name []byte, value uint64) []byte {
	b = append(append(b, name...), 0)
	return append(AppendDecimal(b, value), 0)
}

// AppendDecimal appends value in decimal digits.
func AppendDecimal(b []byte, value uint64) []byte {
	var digits [20]byte
	i := len(digits)
	for {
		i--
		digits[i] = '0' + byte(value%10)
		value /= 10
		if value == 0 {
			return append(b, digits[i:]...)
		}
	}
}

// cut splits b at its first NUL. ok is false if there is none.
func cut(b []byte) (text, rest []byte, ok bool) {
	for i, v := range b {
		if v == 0 {
			return b[:i:i], b[i+1:], true
		}
	}
	return b, nil, false
}
