package view_test

import (
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

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

// A view that reads its feed and answers no request gives no sign of life, and gives
// them again when it answers.
func TestSignsOfLifeNeedAnswers(t *testing.T) {
	t.Parallel()
	engine, other := streams(t)
	w := feed.NewWriter()
	if err := w.Attach(engine); err != nil {
		t.Fatal(err)
	}
	w.Generation(&feed.Generation{}) // nothing comes before it
	var signs atomic.Int64
	go feed.Requests(engine, func(feed.Request) {}, func() { signs.Add(1) })
	book := &stuckBook{Book: story.NewBook(10)}
	p := view.Process{Feed: other, Book: book, Log: zap.NewNop()}
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
	more := func(from int64) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); signs.Load() <= from; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d signs of life", signs.Load())
			}
		}
	}
	more(0)
	book.held.Lock()
	time.Sleep(1500 * time.Millisecond) // what was answered before may still be told
	silent := signs.Load()
	time.Sleep(3 * time.Second)
	if n := signs.Load(); n != silent {
		t.Errorf("%d signs of life in 3 s in which nobody was answered", n-silent)
	}
	book.held.Unlock()
	more(silent)
	close(stop)
	feeding.Wait()
	engine.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
