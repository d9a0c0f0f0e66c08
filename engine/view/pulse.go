package view

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// pulseTime is how long an answer to this process itself may take: far more than on a
// machine that is busy with a storm, and less than the engine's patience.
const pulseTime = 10 * time.Second

// pulse asks the HTTP servers what their users ask, once a second: the page's and
// the control socket's. Only while both answer does the view give signs of life: one
// that reads its feed and answers nobody is of no use. Connections in memory lead
// to the servers, since this process can make no socket; all behind the listener is
// the way of every request.
//
// The real listeners' own loops are not asked: that would take a socket, and what is
// theirs alone is short. They accept, and begin anew; the view notices when one ends,
// and says when one waits because it has as many connections as it may (listen.go).
type pulse struct {
	page, control way
	answered      atomic.Bool // since the last time
	ended         atomic.Bool // a listener has ended, which nothing but another view mends
	log           *zap.Logger
}

// way is one server, and what it is asked.
type way struct {
	name               string
	inside             *inside
	method, path, body string
	client             http.Client
}

func newPulse(log *zap.Logger) *pulse {
	return &pulse{log: log,
		// What costs a look into the book and is never kept for others. Which answer
		// comes does not matter: that there is no such node is one, too.
		page: newWay("HTTP server", http.MethodGet, "/api/nodes/nobody", ""),
		// An order without a node is read and refused before the engine is asked,
		// whose answer may take a while.
		control: newWay("control socket", http.MethodPost, "/control/boot", "{}")}
}

func newWay(name, method, path, body string) way {
	in := &inside{conns: make(chan net.Conn), done: make(chan struct{})}
	return way{name: name, inside: in, method: method, path: path, body: body, client: http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return in.dial(ctx) }}}}
}

// alive tells whether the servers have answered since the last time.
func (p *pulse) alive() bool { return p.answered.Swap(false) && !p.ended.Load() }

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
			p.log.Warn("the view does not answer itself, " + err.Error() + "; if that stays so, the view is started again")
			said = true
		}
		select {
		case <-ctx.Done():
			return
		case <-second.C:
		}
	}
}

// ask asks both once.
func (p *pulse) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pulseTime)
	defer cancel()
	for _, w := range []*way{&p.page, &p.control} {
		if err := w.ask(ctx); err != nil {
			return fmt.Errorf("its %s: %w", w.name, err)
		}
	}
	return nil
}

// ask asks one server.
func (w *way) ask(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, w.method, "http://localhost"+w.path, strings.NewReader(w.body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := w.client.Do(r)
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
