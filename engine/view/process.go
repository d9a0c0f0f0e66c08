package view

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"bootstorm/engine/batch"
	"bootstorm/engine/capture"
	"bootstorm/engine/feed"
	"bootstorm/engine/story"
)

// Story is the book that the process writes and the handler reads: a *story.Book.
type Story interface {
	Book
	Name(n story.Names)
	Observe(at time.Time, e *batch.Event, advice string)
	Counters(at time.Time, c map[string]int64)
	Tick(at time.Time) []story.Told
	Stays(f func(in story.Phase, took time.Duration))
}

// Process is what the view is made of. It lives as long as its feed: the engine's
// end is its end.
type Process struct {
	Feed    io.ReadWriteCloser // this end of the feed
	Web     net.Listener       // for browsers; nil: none
	Socket  net.Listener       // the same for programs on this machine; nil: none
	Control net.Listener       // for whoever may change something; nil: none
	Book    Story
	Frames  []*capture.Reader // the last frames of each worker; nil: nobody keeps them
	Log     *zap.Logger
	Options Options
	// Told is given what the story told, once a second; it must not wait. nil:
	// nobody wants it.
	Told func([]story.Told)

	fed atomic.Int64 // when the engine was last heard of, Unix nanoseconds
}

// Run serves until the feed ends, which is no error.
func (p *Process) Run() error {
	reader := feed.NewReader(p.Feed)
	way := requests{reader, p.Frames}
	p.fed.Store(time.Now().UnixNano())
	p.Options.Fed = func() time.Time { return time.Unix(0, p.fed.Load()) }
	handler := New(p.Book, way, p.Options)
	p.Book.Stays(handler.Stayed)

	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	control := NewControl(way)
	pulse := newPulse(p.Log)
	running.Go(func() {
		p.tick(ctx, handler, func() {
			if pulse.alive() {
				_ = reader.Alive() // if the engine is gone, Run sees it
			}
		})
	})
	running.Go(func() { pulse.run(ctx) })
	for _, s := range []struct {
		listener net.Listener
		handler  http.Handler
	}{{p.Web, handler}, {p.Socket, handler}, {p.Control, control}, {pulse.page.inside, handler}, {pulse.control.inside, control}} {
		if s.listener != nil {
			p.serve(ctx, &running, s.listener, s.handler, pulse)
		}
	}
	err := reader.Run(intake{p, handler, new(giveWay)})
	cancel()
	running.Wait()
	return err
}

// tick does what is due once a second: the story looks for what is overdue, and
// what it tells goes to the log and to those who listen. alive then tells the engine,
// which has a view that hangs ended.
func (p *Process) tick(ctx context.Context, h *Handler, alive func()) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	lines := newTeller(p.Log)
	for {
		select {
		case <-ctx.Done():
			lines.tell(p.Book.Tick(time.Now())) // the last boots are told, too
			return
		case now := <-second.C:
			told := p.Book.Tick(now)
			lines.tell(told)
			h.Tell(told)
			if p.Told != nil {
				p.Told(told)
			}
			h.Tick()
			alive()
		}
	}
}

// intake takes what comes from the engine.
type intake struct {
	process *Process
	handler *Handler
	way     *giveWay
}

// Generation implements feed.Handler.
func (i intake) Generation(g *feed.Generation) {
	i.process.Book.Name(g.Names)
	i.handler.Define(g.Options)
}

// Event implements feed.Handler.
func (i intake) Event(at time.Time, e *batch.Event, words string) {
	i.process.Book.Observe(at, e, words)
	i.handler.Observe(at, e)
	i.way.event(at)
}

// Counters implements feed.Handler.
func (i intake) Counters(at time.Time, c *feed.Counters) {
	i.process.fed.Store(time.Now().UnixNano())
	i.process.Book.Counters(at, c.Counts)
}
