//go:build linux

package peers

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// plan is work that takes known times, and a note of the order in which it is done.
func plan(r *rounds, took map[string]time.Duration, names ...string) *[]string {
	done := new([]string)
	for _, name := range names {
		r.all = append(r.all, work{title: name, took: took[name], do: func(context.Context, int) (string, error) {
			time.Sleep(took[name])
			*done = append(*done, name)
			return name + " is done", nil
		}})
	}
	return done
}

var lengths = map[string]time.Duration{"short": 2 * time.Second, "long": 50 * time.Second, "middling": 20 * time.Second}

// Everything is measured once, then again in turn what is short enough.
func TestRoundsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		progress := new(bytes.Buffer)
		r := &rounds{rounds: 3, once: 20 * time.Second, progress: progress}
		done := plan(r, lengths, "short", "long", "middling")
		if err := r.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := strings.Fields("short long middling short middling short middling"); !slices.Equal(*done, want) {
			t.Errorf("%v, want %v", *done, want)
		}
		for _, want := range []string{"7 measurements, about 116 s\n", "short is done (6 to do, about 114 s)\n", "middling is done (0 to do, about 0 s)\n"} {
			if !strings.Contains(progress.String(), want) {
				t.Errorf("no %q in\n%s", want, progress)
			}
		}
	})
}

// Without a limit everything is repeated; with a budget only what fits into it,
// and the first round is done whatever it takes.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		progress := new(bytes.Buffer)
		r := &rounds{rounds: 2, budget: 90 * time.Second, progress: progress}
		done := plan(r, lengths, "short", "long", "middling")
		if err := r.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		// 72 s are over after the first round: 2 s more fit, 50 s and 20 s do not.
		if want := strings.Fields("short long middling short"); !slices.Equal(*done, want) {
			t.Errorf("%v, want %v", *done, want)
		}
		if !strings.Contains(progress.String(), "2 repetitions were left out, because 90 s are over: see --budget") {
			t.Errorf("progress\n%s", progress)
		}
		r = &rounds{rounds: 2, budget: time.Second, progress: progress}
		if done := plan(r, lengths, "long"); r.run(t.Context()) != nil || len(*done) != 1 {
			t.Errorf("%v", *done)
		}
		r = &rounds{rounds: 2, progress: progress}
		if done := plan(r, lengths, "long"); r.run(t.Context()) != nil || len(*done) != 2 {
			t.Errorf("%v", *done)
		}
	})
}

// What is interrupted, or cannot go on, ends the whole.
func TestRoundsEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := &rounds{rounds: 3, progress: new(bytes.Buffer)}
	calls := 0
	r.all = []work{{do: func(context.Context, int) (string, error) { calls++; cancel(); return "", nil }}}
	if err := r.run(ctx); !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
	bad := errors.New("no disk")
	r.all[0].do = func(context.Context, int) (string, error) { return "", bad }
	if err := r.run(t.Context()); !errors.Is(err, bad) {
		t.Error(err)
	}
}

// What is expected before anything is known: a peer takes longer, never longer
// than half of what it may.
func TestUsual(t *testing.T) {
	ours, peer := &Server{Ours: true}, new(Server)
	if a, b, c := usual(ours, 1000, 100*time.Second), usual(peer, 20, 100*time.Second), usual(peer, 1000, 100*time.Second); a >= c || b >= c || c != 50*time.Second {
		t.Errorf("%s, %s, %s", a, b, c)
	}
}
