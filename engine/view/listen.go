package view

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/net/netutil"
)

// maxConns is how many connections each listener has at a time. Further ones
// wait until one ends.
const maxConns = 256

// serve answers requests on a listener until ctx ends. A listener that ends before
// has the pulse fail: a new view begins with the same socket.
func (p *Process) serve(ctx context.Context, running *sync.WaitGroup, l net.Listener, h http.Handler, pulse *pulse) {
	server := Server(h)
	// What a client does wrong is its own affair; what this process does wrong
	// is worth a line for debugging.
	server.ErrorLog = zap.NewStdLog(zap.New(debugOnly{p.Log.Core()}))
	server.ConnState = (&crowd{where: l.Addr().String(), most: maxConns, log: p.Log}).change
	running.Go(func() {
		if err := server.Serve(netutil.LimitListener(l, maxConns)); !errors.Is(err, http.ErrServerClosed) {
			pulse.ended.Store(true)
			p.Log.Error("the view no longer answers on " + l.Addr().String() + ", and is started again: " + err.Error())
		}
	})
	context.AfterFunc(ctx, func() { server.Close() })
}

// crowdTime is how often at most it is told that a listener is full.
const crowdTime = time.Minute

// crowd counts the connections of a listener, and tells when no more are answered:
// to whoever opens one more page, that looks like a view that hangs.
type crowd struct {
	where string
	most  int64
	log   *zap.Logger
	open  atomic.Int64
	told  atomic.Int64 // when, Unix nanoseconds
}

// change is for http.Server.ConnState.
func (c *crowd) change(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateClosed, http.StateHijacked:
		c.open.Add(-1)
	case http.StateNew:
		if c.open.Add(1) < c.most {
			return
		}
		now, told := time.Now().UnixNano(), c.told.Load()
		if now-told > int64(crowdTime) && c.told.CompareAndSwap(told, now) {
			c.log.Warn(fmt.Sprintf("%s: %d connections are open, and further pages and programs wait until one of them ends; "+
				"close pages that nobody looks at (ss -tpx shows who has them)", c.where, c.most))
		}
	}
}
