package tftp

// Mode is a transfer mode.
type Mode uint8

// The modes (RFC 1350 section 1). Mail is obsolete and not offered.
const (
	ModeOctet Mode = iota
	ModeNetascii
)

// Kind is a known option.
type Kind uint8

// The known options, with the unit of their value.
const (
	Blksize    Kind = iota // bytes of data per block, 8 to 65464 (RFC 2348)
	Tsize                  // bytes, 0 in a read request (RFC 2349)
	Timeout                // seconds, 1 to 255 (RFC 2349)
	Windowsize             // blocks per acknowledgement, 1 to 65535 (RFC 7440)
	Kinds
)

// limits are the least value that makes sense for an option and the greatest
// that it may take; larger ones are cut down to that if saturate is set.
var limits = [Kinds]struct {
	name      string
	low, high uint64
	saturate  bool
}{
	Blksize:    {"blksize", MinBlksize, MaxBlksize, true},
	Tsize:      {"tsize", 0, 1<<64 - 1, true},
	Timeout:    {"timeout", 1, 255, false},
	Windowsize: {"windowsize", 1, 65535, true},
}

// String returns the option's name in the RFCs' spelling.
func (k Kind) String() string {
	if k < Kinds {
		return limits[k].name
	}
	return "unknown"
}

// Option is one known option of a request or an OACK.
type Option struct {
	Kind  Kind
	Name  []byte // as the sender spelled it
	Value uint64 // within the limits of its kind
}

// Status says how far a request could be understood.
type Status uint8

// The outcomes of ParseRequest.
const (
	OK          Status = iota
	Malformed          // not terminated, or without a mode: ERROR 4
	UnknownMode        // ERROR 4
)

// Request is a parsed RRQ or WRQ. It is caller owned and reused. Name and the
// options' names are views into the datagram and die with it.
type Request struct {
	Op      uint16
	Mode    Mode
	Name    []byte
	Count   int           // options known and usable
	Options [Kinds]Option // in the order in which they were requested
}

// Has returns the value of an option and whether it was requested.
func (r *Request) Has(k Kind) (value uint64, ok bool) {
	for i := range r.Count {
		if r.Options[i].Kind == k {
			return r.Options[i].Value, true
		}
	}
	return 0, false
}

// ParseRequest parses a datagram for which IsRequest is true: opcode, name,
// mode and pairs of option name and value, each ended by NUL (RFC 1350 section
// 5, RFC 2347). Name is valid for every Status, as far as it could be read.
func ParseRequest(r *Request, b []byte) Status {
	r.Op, r.Count, r.Mode = uint16(b[1]), 0, ModeOctet
	name, rest, ok := cut(b[2:])
	r.Name = name
	if !ok {
		return Malformed
	}
	mode, rest, ok := cut(rest)
	if !ok || len(mode) == 0 || len(rest) > 0 && rest[len(rest)-1] != 0 {
		return Malformed
	}
	switch {
	case equalFold(mode, "octet"):
	case equalFold(mode, "netascii"):
		r.Mode = ModeNetascii
	default:
		return UnknownMode
	}
	r.options(rest)
	return OK
}

// ParseOack parses an OACK as a client does: the options in it, unknown ones
// left out. ok is false if it is no OACK or not terminated.
func ParseOack(r *Request, b []byte) (ok bool) {
	r.Count, r.Name = 0, nil
	if len(b) < 2 || b[0] != 0 || b[1] != OpOack || len(b) > 2 && b[len(b)-1] != 0 {
		return false
	}
	r.Op = OpOack
	r.options(b[2:])
	return true
}

// options collects the known options from NUL-terminated pairs.
func (r *Request) options(b []byte) {
	for len(b) > 0 {
		name, rest, _ := cut(b)
		value, next, ok := cut(rest)
		if !ok {
			return // a name without a value
		}
		r.option(name, value)
		b = next
	}
}

func (r *Request) option(name, value []byte) {
	k := kindOf(name)
	if k == Kinds {
		return
	}
	if _, twice := r.Has(k); twice {
		return
	}
	n, ok := decimal(value)
	l := &limits[k]
	if n > l.high && l.saturate {
		n = l.high
	}
	if !ok || n < l.low || n > l.high {
		return
	}
	r.Options[r.Count] = Option{Kind: k, Name: name, Value: n}
	r.Count++
}

// kindOf finds an option by name, Kinds if it is not known.
func kindOf(name []byte) Kind {
	for k := range Kinds {
		if equalFold(name, limits[k].name) {
			return k
		}
	}
	return Kinds
}

// decimal reads digits only. Numbers of more than 64 bits give the largest.
func decimal(b []byte) (n uint64, ok bool) {
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 {
			return 0, false
		}
		if n > (1<<64-1-d)/10 {
			n = 1<<64 - 1
			continue
		}
		n = n*10 + d
	}
	return n, len(b) > 0
}

// equalFold compares with a lower-case ASCII word, ignoring the case of b.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// AppendRequest appends an RRQ or WRQ without options; AppendOption adds them.
func AppendRequest(b []byte, op uint16, name, mode string) []byte {
	b = append(append(AppendOpcode(b, op), name...), 0)
	return append(append(b, mode...), 0)
}
