package story

import (
	"encoding/hex"
	"strings"
	"sync"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// DefaultLimit is how many nodes a Book keeps when NewBook is not told.
const DefaultLimit = 131072

// Book is the stories of all nodes. One lock guards it, so that one goroutine
// may feed it while others read; a reader of 10,000 nodes holds it for a few
// milliseconds, which the feed's buffer bridges.
//
// Its memory is bounded: a node that boots the guide's way takes about 1.4 KiB,
// one with all the steps that are kept about 5 KiB.
type Book struct {
	mu    sync.Mutex
	limit int
	clock clock
	texts texts

	version    string
	started    time.Time
	interfaces []string
	root       string
	hosts      map[hardware]string
	files      map[string]File
	ranges     []Range

	nodes  []*node // by id; nil where an id is free
	due    []int64 // by id: when something is overdue; never
	free   []int32
	byHW   map[hardware]int32
	byHost map[string]int32
	byAddr map[proto.Addr]int32
	oldest int32 // ends of the list of nodes by when they were last seen
	newest int32

	states [len(stateNames)]int
	phases [len(phaseNames)]int // without installed systems
	dirty  []int32              // nodes that became stuck or recovered since the last Tick
	told   []Told               // waiting for Tick
	stayed func(in Phase, took time.Duration)
	rogues []rogue
	pools  []pool

	counters map[string]int64
	bytes    [2]int64 // CounterBytes now and a second before
	second   tally    // counted since the last Tick
	rates    Rates
	history  history
	starved  int64 // when a node last found no free address
	diskWait int64 // when an acknowledgement last could not be made because of the disk

	replaced, ignored, untold int64
}

// tally counts what happened within a second.
type tally struct{ discovers, leases, files, done, bytes int64 }

// never is a time that does not come.
const never = int64(1<<63 - 1)

// toldMost is how many of them are kept until Tick comes for them.
const toldMost = 8192

// NewBook makes an empty book that keeps at most limit nodes; 0 stands for
// DefaultLimit. When it is full, the node that was silent for longest among those
// that have booted makes room.
func NewBook(limit int) *Book {
	if limit <= 0 {
		limit = DefaultLimit
	}
	return &Book{limit: limit, texts: newTexts(), hosts: map[hardware]string{}, files: map[string]File{},
		byHW: map[hardware]int32{}, byHost: map[string]int32{}, byAddr: map[proto.Addr]int32{}, oldest: none, newest: none,
		counters: map[string]int64{}}
}

// Name takes over a new generation of configuration and files.
func (b *Book) Name(n Names) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.version, b.started, b.root = n.Version, n.Started, n.Root
	b.interfaces = append([]string(nil), n.Interfaces...)
	b.ranges = append([]Range(nil), n.Pools...)
	b.pools = make([]pool, len(n.Pools))
	clear(b.hosts)
	for mac, host := range n.Hosts {
		if hw, ok := parseMAC(mac); ok {
			b.hosts[hw] = host
		}
	}
	clear(b.files)
	for _, f := range n.Files {
		b.files[f.Name] = f
	}
	// Which addresses are one machine's may have changed: from now on by the new
	// declarations, and nodes that are known stay as they are.
	clear(b.byHost)
	for _, m := range b.nodes {
		if m != nil {
			if host := b.hosts[m.hw]; host != "" {
				b.byHost[host] = m.id
			}
		}
	}
}

// hardware is a client's hardware address.
type hardware struct {
	n uint8
	b [16]byte
}

// hardwareOf reads the one of an event.
func hardwareOf(e *batch.Event) (h hardware) {
	h.n = min(e.HWLen, 16)
	copy(h.b[:h.n], e.HW[:])
	return h
}

// String writes it as colon-separated hexadecimal.
func (h hardware) String() string {
	var buf [48]byte
	return string(h.append(buf[:0]))
}

func (h hardware) append(to []byte) []byte {
	for i, v := range h.b[:h.n] {
		if i > 0 {
			to = append(to, ':')
		}
		const digits = "0123456789abcdef"
		to = append(to, digits[v>>4], digits[v&15])
	}
	return to
}

// parseMAC reads a hardware address in any of the usual spellings.
func parseMAC(s string) (h hardware, ok bool) {
	s = strings.Map(func(r rune) rune {
		if r == ':' || r == '-' || r == '.' {
			return -1
		}
		return r
	}, s)
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) < 6 || len(raw) > 16 {
		return h, false
	}
	h.n = uint8(copy(h.b[:], raw))
	return h, true
}
