package feed

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"bootstorm/engine/batch"
)

// Handler is told what comes from the engine, in its order, by Reader.Run.
type Handler interface {
	// Generation is the first thing to come.
	Generation(g *Generation)
	// Event is one event with the engine's words for it, "" for none. The event
	// is valid during the call.
	Event(at time.Time, e *batch.Event, words string)
	// Counters come once a second.
	Counters(at time.Time, c *Counters)
}

// Reader is the view's end.
type Reader struct {
	conn io.ReadWriteCloser
	in   *bufio.Reader

	taken atomic.Uint64 // frames

	mu      sync.Mutex // of what follows, and of writing
	told    uint64     // frames taken when the last sign of life was given
	next    uint64
	waiting map[uint64]chan Response
	ended   error
}

// NewReader makes a Reader of the view's end of the socket pair.
func NewReader(conn io.ReadWriteCloser) *Reader {
	return &Reader{conn: conn, in: bufio.NewReaderSize(conn, 256<<10), waiting: map[uint64]chan Response{}}
}

// errGone is what a request gets when the engine has ended.
var errGone = errors.New("the engine has ended")

// Run reads until the engine ends (nil) or sends what cannot be read.
func (r *Reader) Run(h Handler) error {
	err := r.run(h)
	r.mu.Lock()
	r.ended = errGone
	for id, c := range r.waiting {
		close(c)
		delete(r.waiting, id)
	}
	r.mu.Unlock()
	if ended(err) {
		return nil
	}
	return err
}

// ended tells whether an error of reading only says that the engine is gone. It
// goes at any moment: in the middle of a frame, or with something unread of what
// this side wrote, which unix(7) sockets report as a reset.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}

// Alive tells the engine that the view lives, if something has come since the last
// time: who calls it regularly vouches for itself and for Run.
func (r *Reader) Alive() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.taken.Load()
	if r.ended != nil || taken == r.told {
		return r.ended
	}
	r.told = taken
	_, err := r.conn.Write(appendHead(nil, kindAlive, 0))
	return err
}

func (r *Reader) run(h Handler) error {
	s := stream{handler: h, reader: r}
	var buf []byte
	for {
		var k kind
		var err error
		if k, buf, err = readFrame(r.in, buf, maxFrame); err != nil {
			return err
		}
		if err := s.take(k, buf); err != nil {
			return fmt.Errorf("feed: %w", err)
		}
		r.taken.Add(1)
	}
}

// stream is what a Reader has to remember from frame to frame.
type stream struct {
	handler Handler
	reader  *Reader
	clock   Clock
	texts   [maxTexts + scratch + 1]string
	event   batch.Event
}

// take deals with one frame.
func (s *stream) take(k kind, body []byte) error {
	switch k {
	case kindEvent:
		if len(body) != recordLen {
			return fmt.Errorf("an event of %d bytes", len(body))
		}
		id := takeRecord((*[recordLen]byte)(body), &s.event)
		if int(id) >= len(s.texts) {
			return fmt.Errorf("text %d", id)
		}
		s.handler.Event(s.clock.Time(s.event.At), &s.event, s.texts[id])
	case kindText:
		return s.text(body)
	case kindGeneration:
		var g Generation
		if err := json.Unmarshal(body, &g); err != nil {
			return err
		}
		s.clock = g.Clock
		s.handler.Generation(&g)
	case kindCounters:
		var c Counters
		if err := json.Unmarshal(body, &c); err != nil {
			return err
		}
		s.clock = c.Clock
		s.handler.Counters(s.clock.Time(c.Clock.Mono), &c)
	case kindResponse:
		var a Response
		if err := json.Unmarshal(body, &a); err != nil {
			return err
		}
		s.reader.answered(a)
	default:
		return fmt.Errorf("a frame of kind %d", k)
	}
	return nil
}

// text keeps a text under its number.
func (s *stream) text(body []byte) error {
	if len(body) < 4 {
		return errors.New("a text without a number")
	}
	id := binary.LittleEndian.Uint32(body)
	if id == 0 || int(id) >= len(s.texts) {
		return fmt.Errorf("text %d", id)
	}
	s.texts[id] = string(body[4:])
	return nil
}

// answered hands a response to who asked.
func (r *Reader) answered(a Response) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c, ok := r.waiting[a.ID]; ok { // else it has stopped waiting
		delete(r.waiting, a.ID)
		c <- a
	}
}

// maxWaiting is how many requests may be without an answer.
const maxWaiting = 64

// Ask puts a request to the engine and waits for its answer or the end of ctx.
// The error says what to do, for a person.
func (r *Reader) Ask(ctx context.Context, q Request) (string, error) {
	id, answer, err := r.send(q)
	if err != nil {
		return "", err
	}
	select {
	case a, ok := <-answer:
		switch {
		case !ok:
			return "", errGone
		case a.Error != "":
			return a.Text, errors.New(a.Error)
		}
		return a.Text, nil
	case <-ctx.Done():
		r.mu.Lock()
		delete(r.waiting, id)
		r.mu.Unlock()
		return "", fmt.Errorf("the engine has not answered: %w; look at its log", ctx.Err())
	}
}

// send writes a request.
func (r *Reader) send(q Request) (uint64, chan Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended != nil {
		return 0, nil, r.ended
	}
	if len(r.waiting) >= maxWaiting {
		return 0, nil, errors.New("too many requests wait for the engine; try again")
	}
	r.next++
	q.ID = r.next
	b, err := frame(kindRequest, q, maxRequest)
	if err != nil {
		return 0, nil, err
	}
	answer := make(chan Response, 1)
	r.waiting[q.ID] = answer
	// The engine reads at once and asks for nothing in return, so this does not
	// wait for long, and no answer comes meanwhile.
	if _, err := r.conn.Write(b); err != nil {
		delete(r.waiting, q.ID)
		return 0, nil, fmt.Errorf("ask the engine: %w", err)
	}
	return q.ID, answer, nil
}
