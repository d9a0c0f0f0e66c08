package pcap

import (
	"hash/maphash"

	"bootstorm/proto"
)

// endpoint is a client's UDP address, as the captured server saw it.
type endpoint struct {
	addr proto.Addr
	port uint16
}

// block is one DATA packet of a side.
type block struct {
	length int
	known  bool   // all bytes were captured
	sum    uint64 // of the bytes, if known
}

// side is what one server sent in answer to a request.
type side struct {
	oacked      bool
	oack        []Field
	acked       bool // ACK 0: a write was granted
	failed      bool
	code        uint16 // of the first ERROR
	text        string
	unreachable bool // ICMP port unreachable instead of an answer
	blocks      map[int]block
	last        int // highest block index sent; block numbers are unwrapped to count on behind 65535
	repeats     int // packets sent again
}

// exchange is one TFTP request of a client with the answers of both servers.
type exchange struct {
	record     int // index of the first request in the capture
	at         int64
	client     endpoint
	mac        proto.MAC
	request    tftpPacket
	raw        string // the request as sent: an equal one is a retry until the client progresses
	progressed bool   // the client has answered
	theirs     side
	ours       side
}

var seed = maphash.MakeSeed()

// add records a packet that the side sent.
func (s *side) add(p *tftpPacket) {
	switch p.op {
	case tftpOack:
		s.repeat(s.oacked)
		s.oacked, s.oack = true, p.options
	case tftpAck:
		s.repeat(s.acked)
		s.acked = true
	case tftpError:
		s.repeat(s.failed)
		if !s.failed {
			s.failed, s.code, s.text = true, p.code, p.text
		}
	case tftpData:
		s.addData(p)
	}
}

// repeat counts a packet that was sent before.
func (s *side) repeat(again bool) {
	if again {
		s.repeats++
	}
}

// addData records a block once. A block that was sent before is a repetition,
// and so is one that lies behind the last: a server that goes back a window.
func (s *side) addData(p *tftpPacket) {
	if s.blocks == nil {
		s.blocks = make(map[int]block)
	}
	i, fresh := s.unwrap(p.block)
	if _, have := s.blocks[i]; have || !fresh {
		s.repeats++
		return
	}
	// Only a sum is kept: the blocks of a long capture would fill the memory twice.
	b := block{length: p.length, known: len(p.data) == p.length}
	if b.known {
		b.sum = maphash.Bytes(seed, p.data)
	}
	s.blocks[i] = b
	s.last = max(s.last, i)
}

// backwards is how far behind the last block number a packet may lie to count
// as an old one; anything else is ahead, across an excerpt's gap if need be.
const backwards = 4096

// unwrap turns a 16-bit block number into an index that grows beyond 65535
// (the number after 65535 is 0), and tells whether it lies ahead.
func (s *side) unwrap(number uint16) (index int, fresh bool) {
	// The subtraction wraps like the numbers do: 0 is one ahead of 65535.
	ahead := int(number - uint16(s.last))
	if ahead > 1<<16-backwards && s.last+ahead >= 1<<16 {
		return s.last + ahead - 1<<16, false
	}
	return s.last + ahead, ahead > 0
}

// acknowledged finds the index of the block that ACK number means to this
// side: one that it has sent, at most a window back. ok is false for an ACK
// that answers nothing sent.
func (s *side) acknowledged(number uint16) (index int, ok bool) {
	back := int(uint16(s.last) - number)
	if back > backwards {
		return 0, false
	}
	index = s.last - back
	_, ok = s.blocks[index]
	return index, ok
}

// bytes sums the blocks that were sent; complete tells that they are without a
// gap and that the last one is short, which ends a transfer.
func (s *side) bytes(blksize int) (sum int64, complete bool) {
	for i := 1; i <= s.last; i++ {
		b, ok := s.blocks[i]
		if !ok {
			return sum, false
		}
		sum += int64(b.length)
		complete = b.length < blksize
	}
	return sum, complete
}

// blksize is the block size that the side agreed to.
func (s *side) blksize() int {
	p := tftpPacket{options: s.oack}
	if v, ok := p.option("blksize"); ok {
		return int(number(v, 512))
	}
	return 512
}

// number reads a decimal option value.
func number(s string, otherwise int64) int64 {
	n := int64(0)
	for _, c := range []byte(s) {
		if c < '0' || c > '9' || n > 1<<50 {
			return otherwise
		}
		n = n*10 + int64(c-'0')
	}
	if s == "" {
		return otherwise
	}
	return n
}

// table finds the exchange that a packet belongs to: per client endpoint, the
// latest one.
type table struct {
	list    []*exchange
	current map[endpoint]*exchange
}

// begin takes a request to port 69. A request that repeats an unanswered one is
// the client's retry and belongs to the same exchange (fresh is false).
func (t *table) begin(record int, at int64, from endpoint, mac proto.MAC, raw []byte, p tftpPacket) (e *exchange, fresh bool) {
	if e = t.current[from]; e != nil && !e.progressed && e.raw == string(raw) {
		return e, false
	}
	e = &exchange{record: record, at: at, client: from, mac: mac, request: p, raw: string(raw)}
	t.list = append(t.list, e)
	if t.current == nil {
		t.current = make(map[endpoint]*exchange)
	}
	t.current[from] = e
	return e, true
}
