package feed

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"bootstorm/engine/batch"
)

// sink is a Handler that looks at what it gets.
type sink struct{ t *testing.T }

func (s sink) Generation(g *Generation) {
	if g == nil {
		s.t.Fatal("no generation")
	}
}
func (s sink) Event(_ time.Time, e *batch.Event, words string) {
	if e == nil || len(words) > maxFrame {
		s.t.Fatal("an event of nothing")
	}
}
func (s sink) Counters(at time.Time, c *Counters) {
	if c == nil {
		s.t.Fatal("no counters")
	}
}

// frames puts frames one behind the other.
func frames(t testing.TB, list ...any) (all []byte) {
	for i := 0; i < len(list); i += 2 {
		b, ok := list[i+1].([]byte)
		if !ok {
			var err error
			if b, err = json.Marshal(list[i+1]); err != nil {
				t.Fatal(err)
			}
		}
		all = append(appendHead(all, list[i].(kind), len(b)), b...)
	}
	return all
}

// FuzzFeed: neither does what an engine that was taken over sends break the view,
// nor what such a view sends the engine.
func FuzzFeed(f *testing.F) {
	var record [recordLen]byte
	putRecord(&record, &batch.Event{Kind: batch.EventNotFound, HWLen: 6}, scratch)
	text := append([]byte{scratch, 0, 0, 0}, "it asked for a file that does not exist"...)
	f.Add(frames(f, kindGeneration, Generation{}, kindText, text, kindEvent, record[:], kindCounters, Counters{Counts: map[string]int64{"frames": 1}},
		kindResponse, Response{ID: 1, Text: "done"}))
	f.Add(frames(f, kindRequest, Request{ID: 7}, kindAlive, []byte{}, kindRequest, Request{ID: 8}))
	f.Add(append(frames(f, kindText, text[:4]), 0xff, 0xff, 0xff, byte(kindEvent)))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := NewReader(struct {
			*bytes.Reader
			nowhere
		}{bytes.NewReader(in), nowhere{}})
		_ = r.Run(sink{t})
		taken := 0
		if err := Requests(bytes.NewReader(in), func(q Request) { taken++ }, func() { taken++ }); err == nil {
			t.Fatal("the view's end is no error")
		}
		if taken*headLen > len(in) {
			t.Fatalf("%d requests in %d bytes", taken, len(in))
		}
	})
}
