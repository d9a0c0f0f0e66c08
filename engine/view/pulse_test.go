package view_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"bootstorm/engine/feed"
	"bootstorm/engine/story"
	"bootstorm/engine/view"
)

// stuckBook is a book that answers nobody while it is held. Its writer is not kept.
type stuckBook struct {
	*story.Book
	held sync.RWMutex
}

func (b *stuckBook) Node(at time.Time, who string) (story.Node, bool) {
	b.held.RLock()
	defer b.held.RUnlock()
	return b.Book.Node(at, who)
}

// streams are both ends of a feed.
func streams(t *testing.T) (engine, view *net.UnixConn) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "feed")
		c, err := net.FileConn(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		ends[i] = c.(*net.UnixConn)
		t.Cleanup(func() { c.Close() })
	}
	return ends[0], ends[1]
}

// living is a view that is fed, and whose signs of life are counted.
type living struct {
	t     *testing.T
	signs atomic.Int64
	end   func() // of the engine, and so of the view
}

func live(t *testing.T, p *view.Process) *living {
	t.Helper()
	engine, other := streams(t)
	w := feed.NewWriter()
	if err := w.Attach(engine); err != nil {
		t.Fatal(err)
	}
	w.Generation(&feed.Generation{}) // nothing comes before it
	l := &living{t: t}
	go feed.Requests(engine, func(feed.Request) {}, func() { l.signs.Add(1) })
	p.Feed = other
	ended := make(chan error, 1)
	go func() { ended <- p.Run() }()
	// The engine has something to tell all the time, as it has.
	stop, feeding := make(chan struct{}), sync.WaitGroup{}
	feeding.Go(func() {
		for {
			w.Counters(&feed.Counters{Clock: feed.Clock{Wall: time.Now().UnixNano()}, Counts: map[string]int64{}})
			w.Flush()
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
	l.end = func() {
		close(stop)
		feeding.Wait()
		engine.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	return l
}

// more waits for a sign of life after so many.
func (l *living) more(from int64) {
	l.t.Helper()
	for end := time.Now().Add(20 * time.Second); l.signs.Load() <= from; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			l.t.Fatalf("%d signs of life", l.signs.Load())
		}
	}
}

// silent checks that there are no more, and returns how many there were.
func (l *living) silent() int64 {
	l.t.Helper()
	time.Sleep(1500 * time.Millisecond) // what was answered before may still be told
	before := l.signs.Load()
	time.Sleep(2500 * time.Millisecond)
	if n := l.signs.Load(); n != before {
		l.t.Errorf("%d signs of life in 2.5 s in which there was to be none", n-before)
	}
	return before
}

// A view that reads its feed and answers no request gives no sign of life, and gives
// them again when it answers.
func TestSignsOfLifeNeedAnswers(t *testing.T) {
	t.Parallel()
	book := &stuckBook{Book: story.NewBook(10)}
	l := live(t, &view.Process{Book: book, Log: zap.NewNop()})
	l.more(0)
	book.held.Lock()
	before := l.silent()
	book.held.Unlock()
	l.more(before)
	l.end()
}

// A listener that ends under the view takes its signs of life: the next view begins
// with the same socket, this one never would.
func TestSignsOfLifeNeedListeners(t *testing.T) {
	t.Parallel()
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	core, said := observer.New(zap.WarnLevel)
	l := live(t, &view.Process{Web: web, Book: story.NewBook(10), Log: zap.New(core)})
	l.more(0)
	web.Close()
	l.silent()
	l.end()
	if said.FilterMessageSnippet("no longer answers on 127.0.0.1:").Len() != 1 {
		t.Errorf("the log says %v", said.All())
	}
}

// Both servers are asked, by requests that change nothing; either that does not
// answer is noticed.
func TestPulseAsksBothServers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	stuck := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	control := view.NewControl(r.engine)
	if err := view.Pulse(r.handler, control, 10*time.Second); err != nil {
		t.Error(err)
	}
	if asked := r.engine.Orders(); len(asked) != 0 {
		t.Errorf("the engine was asked for %v", asked)
	}
	for what, err := range map[string]error{
		"HTTP server":    view.Pulse(stuck, control, 300*time.Millisecond),
		"control socket": view.Pulse(r.handler, stuck, 300*time.Millisecond),
	} {
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), what) {
			t.Errorf("a %s that hangs: %v", what, err)
		}
	}
}

// It is told when a listener is full, and not each time that one more comes.
func TestFullListenerIsTold(t *testing.T) {
	core, said := observer.New(zap.WarnLevel)
	change := view.Connections(3, zap.New(core))
	for range 2 {
		change(http.StateNew)
		change(http.StateActive)
	}
	if said.Len() != 0 {
		t.Errorf("2 of 3: %v", said.All())
	}
	for range 5 {
		change(http.StateNew)
		change(http.StateClosed)
	}
	if said.FilterMessageSnippet("here: 3 connections are open").Len() != 1 || said.Len() != 1 {
		t.Errorf("full 5 times: %v", said.All())
	}
}
