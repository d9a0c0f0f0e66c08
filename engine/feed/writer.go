package feed

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"

	"bootstorm/engine/batch"
)

// queueBytes bounds what waits for the other side, which gives way to the engine while
// all nodes ask at once: 60,000 events, those of 15,000 of them. What was never
// needed costs no memory.
const queueBytes = 8 << 20

// queueCap is the memory for that: twice as much, so that what was sent is made room of
// only when there is as much of it as can wait.
const queueCap = 2 * queueBytes

// generationBytes bounds a generation that waits; it is larger than any of
// a network that fits an Ethernet segment.
const generationBytes = maxFrame

// Writer is the engine's end. Its methods may be called by any goroutine; none
// of them waits for the other side. While there is no view yet, or none while one
// that has ended is started again, events wait for the next, as many as there is
// room for; all else is dropped.
type Writer struct {
	mu    sync.Mutex
	conn  *net.UnixConn // nil: nobody listens
	raw   syscall.RawConn
	fresh bool   // the view that was attached has had no generation, and nothing may come before it
	last  bool   // no view will be attached any more
	queue []byte // frames that wait; from sent on
	sent  int
	cut   int // bytes at the start of queue that are the rest of a frame
	texts texts
	lost  uint64 // events dropped for want of room
	// due is the last generation, if it found no room; it goes first when
	// there is some.
	due []byte
	try func(fd uintptr) bool // one attempt to write the queue, made once so that it is no garbage
}

// NewWriter makes a Writer that nobody listens to yet.
func NewWriter() *Writer {
	w := &Writer{queue: make([]byte, 0, queueCap)}
	w.texts.clear()
	w.try = w.write
	return w
}

// Attach gives the Writer the socket of a view that has just been started, in
// place of the one before. Generation has to follow: a new view knows nothing, and
// what waits for it is sent after that.
func (w *Writer) Attach(c *net.UnixConn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.detach()
	w.conn, w.raw, w.fresh = c, raw, true
	return nil
}

// Last says that no view will be attached any more: once the one that is there has
// ended, nothing is kept.
func (w *Writer) Last() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = true
	if w.conn == nil {
		w.queue = w.queue[:0]
	}
}

// Detach lets go of the view, if it is c, nil for any.
func (w *Writer) Detach(c *net.UnixConn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c == nil || w.conn == c {
		w.detach()
	}
}

// detach lets go of the view, if there is one. Events that it has not begun to take
// stay for the next, with the texts among them; those whose text it had taken already
// come without. A generation and counts would be out of date.
func (w *Writer) detach() {
	if w.conn == nil {
		return
	}
	w.conn.Close()
	w.conn, w.raw, w.fresh, w.due = nil, nil, false, nil
	kept := w.queue[:0]
	for rest := w.queue[w.whole():]; len(rest) > 0 && !w.last; {
		k, n := frameAt(rest)
		if k == kindEvent || k == kindText {
			kept = append(kept, rest[:n]...)
		}
		rest = rest[n:]
	}
	w.queue, w.sent, w.cut = kept, 0, 0
	w.texts.clear()
}

// whole is where the first frame begins that the view has not begun to take.
func (w *Writer) whole() int {
	at := w.cut
	for at < w.sent {
		_, n := frameAt(w.queue[at:])
		at += n
	}
	return at
}

// Attached tells whether there is a view.
func (w *Writer) Attached() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.conn != nil
}

// Lost is how many events were dropped because no view took the ones before them
// in time.
func (w *Writer) Lost() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

// Event queues an event. words makes the text that explains it; it is called only
// for events that have one (Explained), and only if the same text was not sent
// before.
func (w *Writer) Event(e *batch.Event, words func(e *batch.Event) string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == nil && w.last {
		return
	}
	if !w.room(headLen + recordLen) {
		w.lost++
		return
	}
	id := uint32(0)
	if words != nil && Explained(e.Kind) {
		id = w.text(e, words)
	}
	if !w.room(headLen + recordLen) { // the text took it
		w.lost++
		return
	}
	n := len(w.queue)
	w.queue = w.queue[:n+headLen+recordLen]
	binary.LittleEndian.PutUint32(w.queue[n:], uint32(kindEvent)<<24|recordLen)
	putRecord((*[recordLen]byte)(w.queue[n+headLen:]), e, id)
}

// text returns the id of the event's text and queues the text if it is new; 0
// where there is none to be had.
func (w *Writer) text(e *batch.Event, words func(e *batch.Event) string) uint32 {
	id, fresh := w.texts.find(e)
	if !fresh {
		return id
	}
	t := words(e)
	t = t[:min(len(t), maxText)]
	if t == "" || !w.room(headLen+4+len(t)) {
		w.texts.forget(e)
		return 0
	}
	w.queue = appendHead(w.queue, kindText, 4+len(t))
	w.queue = binary.LittleEndian.AppendUint32(w.queue, id)
	w.queue = append(w.queue, t...)
	return id
}

// room tells whether n more bytes may wait, and makes place for them.
func (w *Writer) room(n int) bool {
	if len(w.queue)-w.sent+n > queueBytes {
		return false
	}
	if len(w.queue)+n > cap(w.queue) && w.sent > 0 {
		w.cut = w.whole() - w.sent
		w.queue = w.queue[:copy(w.queue, w.queue[w.sent:])]
		w.sent = 0
	}
	return true
}

// Generation queues what was loaded. It always arrives: what finds no room now is
// sent when there is some, unless a newer one has come by then. To a view that has
// just been attached it goes before all that waits. Without a view it is dropped.
func (w *Writer) Generation(g *Generation) {
	b, err := frame(kindGeneration, g, generationBytes)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.texts.clear() // rules have changed their numbers
	fresh := w.fresh
	w.fresh = false
	switch {
	case w.conn == nil || err != nil:
	case fresh:
		w.queue = append(append(make([]byte, 0, max(len(b)+len(w.queue), queueCap)), b...), w.queue...)
	default:
		w.due = b
		w.dueNow()
	}
}

// ClearTexts has every text sent again, as Generation does: for a generation that
// there is no view to be told of.
func (w *Writer) ClearTexts() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.texts.clear()
}

// dueNow queues the generation that waits, if the queue has been taken.
func (w *Writer) dueNow() {
	if w.due != nil && len(w.queue)-w.sent <= queueBytes/2 {
		w.queue, w.due = append(w.queue, w.due...), nil
	}
}

// Counters queues the counts of this second; they are dropped if there is no room.
func (w *Writer) Counters(c *Counters) { w.small(kindCounters, c) }

// Respond queues an answer.
func (w *Writer) Respond(r *Response) { w.small(kindResponse, r) }

func (w *Writer) small(k kind, v any) {
	b, err := frame(k, v, queueBytes/2)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil && w.conn != nil && w.room(len(b)) {
		w.queue = append(w.queue, b...)
	}
}

// frame makes a frame of JSON.
func frame(k kind, v any, limit int) ([]byte, error) {
	body, err := json.Marshal(v)
	if err == nil && len(body) > limit {
		err = errTooLong
	}
	if err != nil {
		return nil, fmt.Errorf("feed: %w", err)
	}
	return append(appendHead(make([]byte, 0, headLen+len(body)), k, len(body)), body...), nil
}

// Flush hands over what the other side takes at once, and keeps the rest.
func (w *Writer) Flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dueNow()
	if w.conn == nil || w.fresh || w.sent == len(w.queue) {
		return
	}
	if err := w.raw.Write(w.try); err != nil { // closed
		w.detach()
	}
}

// write writes until the socket takes no more. It returns true: the runtime is
// not to wait for more room.
func (w *Writer) write(fd uintptr) bool {
	for w.sent < len(w.queue) {
		n, err := syscall.Write(int(fd), w.queue[w.sent:])
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil || n <= 0: // full, or the view is gone: its end of the pair says so to the reader of requests
			return true
		}
		w.sent += n
	}
	w.queue, w.sent, w.cut = w.queue[:0], 0, 0
	if cap(w.queue) > queueCap { // a generation was large
		w.queue = make([]byte, 0, queueCap)
	}
	return true
}

// Requests reads the view's requests and calls f with each, and alive with each
// sign of life, until the view is gone. It is run in a goroutine of its own for
// each Attach.
func Requests(c io.Reader, f func(Request), alive func()) error {
	var buf []byte
	for {
		var k kind
		var err error
		if k, buf, err = readFrame(c, buf, maxRequest); err != nil {
			return err
		}
		var r Request
		if k == kindAlive {
			alive()
			continue
		}
		if k != kindRequest {
			return fmt.Errorf("feed: the view sent a frame of kind %d", k)
		}
		if err := json.Unmarshal(buf, &r); err != nil {
			return fmt.Errorf("feed: %w", err)
		}
		f(r)
	}
}
