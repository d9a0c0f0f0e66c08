package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/story"
	"bootstorm/proto"
)

// ends returns the two ends of a socket pair.
func ends(t testing.TB) (engine, view *net.UnixConn) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var both [2]*net.UnixConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "pair")
		c, err := net.FileConn(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		both[i] = c.(*net.UnixConn)
		t.Cleanup(func() { c.Close() })
	}
	return both[0], both[1]
}

// attached returns a Writer with a view, and the view's end.
func attached(t testing.TB) (*Writer, *net.UnixConn) {
	t.Helper()
	engine, view := ends(t)
	w := NewWriter()
	if err := w.Attach(engine); err != nil {
		t.Fatal(err)
	}
	w.fresh = false // as after a generation
	return w, view
}

// heard is what a view was told.
type heard struct {
	at     time.Time
	event  batch.Event
	words  string
	names  *story.Names
	counts map[string]int64
}

type listener chan heard

func (l listener) Generation(g *Generation) { l <- heard{names: &g.Names} }
func (l listener) Event(at time.Time, e *batch.Event, words string) {
	l <- heard{at: at, event: *e, words: words}
}
func (l listener) Counters(at time.Time, c *Counters) { l <- heard{at: at, counts: c.Counts} }

// listen reads what comes.
func listen(view *net.UnixConn) (*Reader, listener, chan error) {
	r, l, end := NewReader(view), make(listener, 100_000), make(chan error, 1)
	go func() {
		end <- r.Run(l)
		close(l)
	}()
	return r, l, end
}

func (l listener) next(t *testing.T) heard {
	t.Helper()
	select {
	case h, ok := <-l:
		if !ok {
			t.Fatal("the feed has ended")
		}
		return h
	case <-time.After(20 * time.Second):
		t.Fatal("nothing comes")
	}
	return heard{}
}

// full returns an event with a value in every field.
func full(kind batch.EventKind) batch.Event {
	e := batch.Event{Kind: kind, At: 1e9, Reason: batch.ReasonDenied, Link: 3, HWLen: 6, HW: [16]byte{0: 1, 15: 16}, Addr: proto.AddrOf(10, 1, 2, 3),
		XID: 0xdeadbeef, Extra: 0xfffffffe, Value: -5, Nanos: 1 << 60, Rule: -1}
	copy(e.Name[:], strings.Repeat("n", 64))
	return e
}

// TestArrives sends one of everything and finds it at the other end, with the
// wall clock's time.
func TestArrives(t *testing.T) {
	w, view := attached(t)
	_, l, end := listen(view)
	wall := time.Unix(1795344000, 500)
	names := story.Names{Version: "v", Started: wall.UTC(), Hosts: map[string]string{"52:54:00:12:34:01": "node_1"},
		Files: []story.File{{Name: "ipxe.efi", Size: 5, Leads: true}}, Pools: []story.Range{{Name: "10.0.0.1-10.0.0.9", Size: 9}}}
	w.Generation(&Generation{Clock: Clock{Mono: 2e9, Wall: wall.UnixNano()}, Names: names})
	e := full(batch.EventSilence)
	w.Event(&e, func(e *batch.Event) string { return fmt.Sprint("by line ", e.Extra) })
	plain := full(batch.EventAck)
	w.Event(&plain, func(*batch.Event) string { return "not asked for" })
	w.Counters(&Counters{Clock: Clock{Mono: 5e9, Wall: wall.Add(time.Hour).UnixNano()}, Counts: map[string]int64{"ack": 7}})
	w.Flush()

	if h := l.next(t); h.names == nil || !reflect.DeepEqual(*h.names, names) {
		t.Errorf("%+v", h.names)
	}
	if h := l.next(t); h.event != e || h.words != "by line 4294967294" || !h.at.Equal(wall.Add(-time.Second)) {
		t.Errorf("%+v", h)
	}
	if h := l.next(t); h.event != plain || h.words != "" {
		t.Errorf("%+v", h)
	}
	if h := l.next(t); h.counts["ack"] != 7 || !h.at.Equal(wall.Add(time.Hour)) {
		t.Errorf("%+v", h)
	}
	w.Detach(nil)
	if err := <-end; err != nil {
		t.Errorf("at the end of the engine: %v", err)
	}
}

// TestRecordHasEveryField fails when batch.Event gets a field that a record
// leaves out.
func TestRecordHasEveryField(t *testing.T) {
	v := reflect.ValueOf(new(batch.Event)).Elem()
	for i := range v.NumField() {
		e := batch.Event{}
		f := reflect.ValueOf(&e).Elem().Field(i)
		switch f.Kind() {
		case reflect.Array:
			f.Index(f.Len() - 1).SetUint(7)
		case reflect.Int64, reflect.Int32:
			f.SetInt(-7)
		default:
			f.SetUint(7)
		}
		var b [recordLen]byte
		var got batch.Event
		putRecord(&b, &e, 9)
		if text := takeRecord(&b, &got); got != e || text != 9 {
			t.Errorf("%s is lost", v.Type().Field(i).Name)
		}
	}
}

// TestTextsOnce sends a text once for all events that it explains, and another
// for those of another file; texts of log statements are never kept.
func TestTextsOnce(t *testing.T) {
	w, view := attached(t)
	_, l, _ := listen(view)
	asked := 0
	send := func(kind batch.EventKind, file string) {
		e := batch.Event{Kind: kind, XID: uint32(asked)}
		copy(e.Name[:], file)
		w.Event(&e, func(*batch.Event) string { asked++; return fmt.Sprint(file, " text ", asked) })
	}
	for range 3 {
		send(batch.EventNotFound, "a")
		send(batch.EventNotFound, "b")
	}
	send(batch.EventLog, "")
	send(batch.EventLog, "")
	w.Flush()
	for i, want := range []string{"a text 1", "b text 2", "a text 1", "b text 2", "a text 1", "b text 2", " text 3", " text 4"} {
		if got := l.next(t).words; got != want {
			t.Errorf("event %d: %q, want %q", i, got, want)
		}
	}
	if asked != 4 {
		t.Errorf("put into words %d times", asked)
	}
}

// TestFloodOfTexts bounds what invented file names take, and still explains each.
func TestFloodOfTexts(t *testing.T) {
	w, view := attached(t)
	_, l, _ := listen(view)
	for i := range 3*maxTexts + 10 {
		e := batch.Event{Kind: batch.EventNotFound}
		copy(e.Name[:], fmt.Sprint(i))
		w.Event(&e, func(*batch.Event) string { return fmt.Sprint("text ", i) })
		w.Flush()
		if h := l.next(t); h.words != fmt.Sprint("text ", i) {
			t.Fatalf("event %d: %q", i, h.words)
		}
	}
	if len(w.texts.ids) > maxTexts {
		t.Errorf("%d texts kept", len(w.texts.ids))
	}
}

// TestNobodyReads stops at a bound when the view hangs, counts what it drops,
// and sends on when the view goes on: the generation of a reload before all.
func TestNobodyReads(t *testing.T) {
	w, view := attached(t)
	const n = queueBytes/(headLen+recordLen) + 20_000 // the socket takes some
	e := full(batch.EventAck)
	for i := range n {
		e.XID = uint32(i)
		w.Event(&e, nil)
		if i%100 == 0 {
			w.Flush()
		}
	}
	if w.Lost() == 0 || cap(w.queue) > queueCap {
		t.Fatalf("%d lost, %d bytes wait", w.Lost(), cap(w.queue))
	}
	w.Generation(&Generation{Names: story.Names{Version: "old"}})
	w.Generation(&Generation{Names: story.Names{Version: "new"}})
	_, l, _ := listen(view)
	took := 0
	for next := uint32(0); ; {
		w.Flush()
		select {
		case h := <-l:
			if h.names != nil {
				if h.names.Version != "new" || took != n-int(w.Lost()) {
					t.Errorf("%s after %d events, %d of %d were lost", h.names.Version, took, w.Lost(), n)
				}
				return
			}
			if h.event.XID < next {
				t.Fatalf("event %d after %d", h.event.XID, next)
			}
			next, took = h.event.XID+1, took+1
		case <-time.After(20 * time.Second):
			t.Fatal("the generation does not come")
		}
	}
}

// told sends an event with a number, and with words if it is a refusal.
func told(w *Writer, kind batch.EventKind, number uint32) {
	e := batch.Event{Kind: kind, XID: number}
	w.Event(&e, func(*batch.Event) string { return "because" })
}

// attach gives a Writer another view, as the engine does, and returns what it hears.
func attach(t *testing.T, w *Writer, version string) (listener, *net.UnixConn) {
	t.Helper()
	engine, view := ends(t)
	if err := w.Attach(engine); err != nil {
		t.Fatal(err)
	}
	w.Flush() // by another goroutine, before the generation is there
	w.Generation(&Generation{Names: story.Names{Version: version}})
	w.Flush()
	_, l, _ := listen(view)
	return l, view
}

// expect wants a generation, if there is a version, and then events by number.
func (l listener) expect(t *testing.T, version string, numbers ...uint32) {
	t.Helper()
	if version != "" {
		if h := l.next(t); h.names == nil || h.names.Version != version {
			t.Fatalf("instead of generation %s: %+v", version, h)
		}
	}
	for _, n := range numbers {
		h := l.next(t)
		if h.names != nil || h.event.XID != n {
			t.Fatalf("instead of event %d: %+v", n, h)
		}
		if Explained(h.event.Kind) && h.words != "because" {
			t.Errorf("event %d has the words %q", n, h.words)
		}
	}
}

// TestBeforeTheView keeps what happens before there is a view: it hears of it after
// the generation, in order, with the words for it, and then of what is new.
func TestBeforeTheView(t *testing.T) {
	w := NewWriter()
	told(w, batch.EventDiscover, 1)
	told(w, batch.EventNak, 2)
	w.Flush()
	w.Counters(&Counters{}) // of no use later
	w.ClearTexts()          // a reload
	told(w, batch.EventSilence, 3)
	told(w, batch.EventNak, 4)
	l, _ := attach(t, w, "first")
	told(w, batch.EventNak, 5)
	told(w, batch.EventSilence, 6)
	w.Flush()
	l.expect(t, "first", 1, 2, 3, 4, 5, 6)
	if w.Lost() != 0 {
		t.Errorf("%d lost", w.Lost())
	}
}

// TestBetweenViews keeps what happens while there is no view for the next one, and
// what the one before had not begun to take. Texts are sent to each.
func TestBetweenViews(t *testing.T) {
	w := NewWriter()
	l, _ := attach(t, w, "first")
	told(w, batch.EventNak, 1)
	w.Flush()
	l.expect(t, "first", 1)
	told(w, batch.EventAck, 2) // queued, not taken
	told(w, batch.EventSilence, 3)
	w.Counters(&Counters{})
	w.Detach(nil)
	told(w, batch.EventNak, 4)
	told(w, batch.EventSilence, 5)
	l, _ = attach(t, w, "second")
	told(w, batch.EventNak, 6)
	w.Flush()
	l.expect(t, "second", 2, 3, 4, 5, 6)
}

// TestViewEndsAnywhere ends views that have taken different parts of what waits:
// the next one reads whole frames, in order, and the newest is among them.
func TestViewEndsAnywhere(t *testing.T) {
	for _, reads := range []int{0, 1, 5, 1 << 10, 100_001, queueBytes - 3, queueBytes + 70_000} {
		w, view := attached(t)
		n := uint32(0)
		send := func() {
			for range 2 * queueBytes / recordLen { // more than there is room for
				n++
				told(w, batch.EventAck, n)
				if n%100 == 0 {
					w.Flush()
				}
			}
		}
		send()
		for b := make([]byte, 999); reads > 0; {
			got, err := view.Read(b[:min(reads, len(b))])
			if err != nil {
				t.Fatal(err)
			}
			reads -= got
			n++
			told(w, batch.EventAck, n)
			w.Flush()
		}
		before := n
		w.Detach(nil)
		if w.Event(&batch.Event{}, nil); cap(w.queue) > queueCap {
			t.Errorf("%d bytes for what waits", cap(w.queue))
		}
		engine, again := ends(t)
		if err := w.Attach(engine); err != nil {
			t.Fatal(err)
		}
		w.Generation(&Generation{})
		w.Flush()
		_, l, _ := listen(again)
		if h := l.next(t); h.names == nil {
			t.Fatalf("first comes %+v", h)
		}
		last := uint32(0)
		for drained := false; !drained; {
			h := l.next(t)
			switch {
			case h.event.XID == n+1:
				drained = true
			case h.event.Kind == 0: // the one after the end
			case h.event.XID <= last || h.event.XID > before:
				t.Fatalf("event %d after %d", h.event.XID, last)
			default:
				last = h.event.XID
			}
			if w.Flush(); w.sent == len(w.queue) && !drained {
				told(w, batch.EventAck, n+1)
				w.Flush()
			}
		}
	}
}

// TestTooMuchBeforeTheView keeps the first events, as many as there is room for, and
// counts the others as lost.
func TestTooMuchBeforeTheView(t *testing.T) {
	w := NewWriter()
	const n = 2 * queueBytes / recordLen
	for i := range uint32(n) {
		told(w, batch.EventAck, i+1)
	}
	kept := uint32(n - w.Lost())
	if kept == 0 || w.Lost() == 0 || cap(w.queue) > queueCap {
		t.Fatalf("%d of %d lost, %d bytes for the others", w.Lost(), n, cap(w.queue))
	}
	l, _ := attach(t, w, "first")
	l.expect(t, "first")
	for i := range kept {
		w.Flush()
		l.expect(t, "", i+1)
	}
	told(w, batch.EventAck, n+1)
	w.Flush()
	l.expect(t, "", n+1)
}

// TestNoViewAnyMore keeps nothing once the last view has ended.
func TestNoViewAnyMore(t *testing.T) {
	w := NewWriter()
	l, _ := attach(t, w, "only")
	w.Last()
	told(w, batch.EventAck, 1)
	w.Flush()
	l.expect(t, "only", 1)
	told(w, batch.EventAck, 2)
	w.Detach(nil)
	told(w, batch.EventAck, 3)
	if len(w.queue) != 0 || w.Lost() != 0 {
		t.Errorf("%d bytes are kept, %d lost", len(w.queue), w.Lost())
	}
	w = NewWriter()
	told(w, batch.EventAck, 1)
	if w.Last(); len(w.queue) != 0 {
		t.Errorf("%d bytes are kept", len(w.queue))
	}
}

// TestViewGone feeds the next view when one has ended and a flood has come since.
func TestViewGone(t *testing.T) {
	w, view := attached(t)
	view.Close()
	e := full(batch.EventAck)
	for range 2 * queueBytes / recordLen {
		w.Event(&e, nil)
		w.Flush()
	}
	w.Detach(nil)
	if w.Attached() {
		t.Error("attached to nobody")
	}
	l, _ := attach(t, w, "next")
	l.expect(t, "next", e.XID)
}

// TestRequests asks and is answered, in any order, with errors as errors.
func TestRequests(t *testing.T) {
	engine, view := ends(t)
	w := NewWriter()
	if err := w.Attach(engine); err != nil {
		t.Fatal(err)
	}
	w.fresh = false // as after a generation
	r, _, _ := listen(view)
	go Requests(engine, func(q Request) {
		a := Response{ID: q.ID, Text: q.Kind + " " + q.Node}
		if q.Kind == Reload {
			a.Error = "line 5"
		}
		if q.Kind != Boot { // that one is never answered
			w.Respond(&a)
			w.Flush()
		}
	}, func() {})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if text, err := r.Ask(ctx, Request{Kind: Explain, Node: "n"}); text != "explain n" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := r.Ask(ctx, Request{Kind: Reload}); err == nil || err.Error() != "line 5" {
		t.Errorf("%v", err)
	}
	short, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	if _, err := r.Ask(short, Request{Kind: Boot}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	time.AfterFunc(10*time.Millisecond, func() { w.Detach(nil) })
	if _, err := r.Ask(ctx, Request{Kind: Boot}); err == nil {
		t.Error("answered after the end")
	}
}

// TestAlive gives a sign of life only when something has come since the last one:
// a view that does not read is not alive.
func TestAlive(t *testing.T) {
	engine, view := ends(t)
	w := NewWriter()
	if err := w.Attach(engine); err != nil {
		t.Fatal(err)
	}
	w.fresh = false // as after a generation
	r, l, _ := listen(view)
	beats, requests := make(chan bool, 8), make(chan Request)
	go Requests(engine, func(q Request) { requests <- q }, func() { beats <- true })
	for range 2 {
		w.Counters(&Counters{})
		w.Flush()
		l.next(t)
		for end := time.Now().Add(20 * time.Second); len(beats) == 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
			if err := r.Alive(); err != nil { // the frame counts when its handler is done
				t.Fatal(err)
			}
		}
		if len(beats) != 1 {
			t.Fatalf("%d signs of life after one frame", len(beats))
		}
		<-beats
		if err := r.Alive(); err != nil {
			t.Fatal(err)
		}
		// What is written before this arrives before it.
		if _, err := view.Write(append(appendHead(nil, kindRequest, 2), "{}"...)); err != nil {
			t.Fatal(err)
		}
		if <-requests; len(beats) != 0 {
			t.Error("a sign of life without a frame")
		}
	}
}

// TestEngineEndsAnywhere cuts the feed at every byte, with and without something of
// the view left unread: to the view that is an ordinary end.
func TestEngineEndsAnywhere(t *testing.T) {
	whole := append(appendHead(nil, kindText, 6), 1, 0, 0, 0, 'h', 'i')
	for n := range len(whole) {
		for _, unread := range []bool{false, true} {
			engine, view := ends(t)
			if unread {
				view.Write([]byte("anything"))
			}
			engine.Write(whole[:n])
			engine.Close()
			if err := NewReader(view).Run(make(listener, 1)); err != nil {
				t.Errorf("after %d bytes, unread %v: %v", n, unread, err)
			}
		}
	}
}

// TestHostile refuses what no end of ours sends, without a panic and without
// memory for lengths that are only claimed.
func TestHostile(t *testing.T) {
	for name, frame := range map[string][]byte{
		"event too short": append(appendHead(nil, kindEvent, 3), 1, 2, 3),
		"unknown kind":    appendHead(nil, 99, 0),
		"text without id": append(appendHead(nil, kindText, 2), 1, 2),
		"text 0":          append(appendHead(nil, kindText, 4), 0, 0, 0, 0),
		"text far away":   append(appendHead(nil, kindText, 4), 0, 0, 0, 0xff),
		"no JSON":         append(appendHead(nil, kindCounters, 1), '{'),
	} {
		r := NewReader(struct {
			*bytes.Reader
			nowhere
		}{bytes.NewReader(frame), nowhere{}})
		if err := r.Run(make(listener, 1)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	for name, frame := range map[string][]byte{
		"request too long": appendHead(nil, kindRequest, maxRequest+1),
		"event":            append(appendHead(nil, kindEvent, 1), 0),
		"no JSON":          append(appendHead(nil, kindRequest, 1), '['),
	} {
		engine, view := ends(t)
		if _, err := view.Write(frame); err != nil {
			t.Fatal(err)
		}
		if err := Requests(engine, func(Request) { t.Errorf("%s: taken", name) }, func() { t.Errorf("%s: a sign of life", name) }); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

type nowhere struct{}

func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) Close() error                { return nil }

// drained attaches a view that reads as fast as it can and keeps nothing.
func drained(t testing.TB) *Writer {
	w, view := attached(t)
	go func() {
		b := make([]byte, 1<<20)
		for {
			if _, err := view.Read(b); err != nil {
				return
			}
		}
	}()
	return w
}

// TestNoGarbage allocates nothing for an event, explained or not.
func TestEventAllocatesNothing(t *testing.T) {
	w := drained(t)
	plain, refused := full(batch.EventAck), full(batch.EventSilence)
	words := func(*batch.Event) string { return "because" }
	w.Event(&refused, words)
	if n := testing.AllocsPerRun(1000, func() {
		w.Event(&plain, words)
		w.Event(&refused, words)
		w.Flush()
	}); n != 0 {
		t.Errorf("%v allocations for two events", n)
	}
}

// BenchmarkEvent is what an event costs the engine's observer, handed over in
// groups as in a storm.
func BenchmarkEvent(b *testing.B) {
	for name, kind := range map[string]batch.EventKind{"step": batch.EventAck, "refusal": batch.EventSilence} {
		b.Run(name, func(b *testing.B) {
			w, _ := attached(b)
			null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
			if err != nil {
				b.Fatal(err)
			}
			defer null.Close()
			w.try = func(uintptr) bool { return w.write(null.Fd()) } // one that takes everything
			e := full(kind)
			words := func(*batch.Event) string { return "because" }
			b.ReportAllocs()
			for i := range b.N {
				w.Event(&e, words)
				if i%256 == 255 {
					w.Flush()
				}
			}
			if w.Lost() > 0 {
				b.Errorf("%d lost", w.Lost())
			}
		})
	}
}
