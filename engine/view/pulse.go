package view

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// pulseTime is how long an answer to this process itself may take: far more than on a
// machine that is busy with a storm, and less than the engine's patience.
const pulseTime = 10 * time.Second

// pulse asks the HTTP server what its users ask, once a second. Only while it answers
// does the view give signs of life: one that reads its feed and answers nobody is of
// no use. A connection in memory leads to the server, since this process can make
// no socket; all behind the listener is the way of every request.
type pulse struct {
	inside   *inside
	client   http.Client
	answered atomic.Bool
	log      *zap.Logger
}

func newPulse(log *zap.Logger) *pulse {
	p := &pulse{inside: &inside{conns: make(chan net.Conn), done: make(chan struct{})}, log: log}
	p.client = http.Client{Timeout: pulseTime, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return p.inside.dial(ctx) }}}
	return p
}

// alive tells whether the server has answered since the last time.
func (p *pulse) alive() bool { return p.answered.Swap(false) }

// run asks until ctx ends.
func (p *pulse) run(ctx context.Context) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	said := false
	for {
		err := p.ask(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			p.answered.Store(true)
			said = false
		case !said:
			p.log.Warn("the view's own HTTP server does not answer: " + err.Error() + "; if that stays so, the view is started again")
			said = true
		}
		select {
		case <-ctx.Done():
			return
		case <-second.C:
		}
	}
}

// ask asks once, for what costs a look into the book and is never kept for others.
// Which answer comes does not matter: that there is no such node is one, too.
func (p *pulse) ask(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/api/nodes/nobody", nil)
	if err != nil {
		return err
	}
	answer, err := p.client.Do(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return errors.Join(err, answer.Body.Close())
}

// inside is a listener for connections within the process.
type inside struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// dial connects to whoever accepts.
func (l *inside) dial(ctx context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (l *inside) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *inside) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

// Addr implements net.Listener.
func (l *inside) Addr() net.Addr { return &net.UnixAddr{Name: "inside", Net: "unix"} }
