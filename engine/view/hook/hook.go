// Package hook tells other programs what became true: it posts each event to a
// URL or runs a command for it. It never makes anybody wait: events go into a
// bounded queue, and what does not fit is counted and lost. A call that fails is
// repeated a few times with growing pauses, and then given up, which is logged.
//
// Events are delivered one after the other, in the order in which they happened,
// so that nobody hears that a node recovered before it got stuck.
//
// The command is executed by the process that serves the page, with that
// process's rights: none. Where the sandbox forbids it to execute programs, a
// command fails at every call, and the log says so; use a URL there.
package hook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"bootstorm/engine/story"
	"bootstorm/engine/view"
)

// Limits.
const (
	DefaultQueue = 1024             // events that wait
	DefaultTries = 5                // calls for one event
	DefaultPause = time.Second      // before the first repetition; doubled for each further one
	DefaultTime  = 10 * time.Second // one call may take
	maxAnswer    = 64 << 10         // bytes of an answer that are read, so that the connection can be used again
)

// Kinds are what hooks are called for.
var Kinds = []string{story.ToldBooted, story.ToldStuck, story.ToldRecovered, story.ToldPool, story.ToldRogue, story.ToldConflict}

// Config is whom to tell.
type Config struct {
	URL     string               // http or https; the event is the body of a POST, as JSON
	Command string               // path of a program; the event is its standard input, as JSON
	Log     func(message string) // where losses are told; nil: nowhere
	Queue   int                  // 0: DefaultQueue
	Tries   int                  // 0: DefaultTries
	Pause   time.Duration        // 0: DefaultPause
	Time    time.Duration        // 0: DefaultTime
}

// Hook tells one program.
type Hook struct {
	c                         Config
	client                    *http.Client
	queue                     chan []byte
	sent, again, failed, lost atomic.Int64
	spoken                    int64 // losses that the log knows of
}

// New checks a configuration. Run must run for anything to be told.
func New(c Config) (*Hook, error) {
	switch {
	case (c.URL == "") == (c.Command == ""):
		return nil, errors.New("a hook needs either a URL or a command")
	case c.URL != "":
		if u, err := url.Parse(c.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, fmt.Errorf("hook URL %q: it must begin with http:// or https:// and name a host", c.URL)
		}
	case !filepath.IsAbs(c.Command):
		return nil, fmt.Errorf("hook command %q: name it by its whole path", c.Command)
	default:
		if _, err := exec.LookPath(c.Command); err != nil {
			return nil, fmt.Errorf("hook command %s: %w: it must be there and executable", c.Command, cause(err))
		}
	}
	c.fill()
	return &Hook{c: c, queue: make(chan []byte, c.Queue), client: &http.Client{Timeout: c.Time,
		// What is told is for the host that was named, and for no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// fill puts defaults where nothing is said.
func (c *Config) fill() {
	if c.Log == nil {
		c.Log = func(string) {}
	}
	if c.Queue == 0 {
		c.Queue = DefaultQueue
	}
	if c.Tries == 0 {
		c.Tries = DefaultTries
	}
	if c.Pause == 0 {
		c.Pause = DefaultPause
	}
	if c.Time == 0 {
		c.Time = DefaultTime
	}
}

// Tell takes events. It never waits.
func (h *Hook) Tell(told []story.Told) {
	for _, t := range told {
		t.Node.Steps = nil // the API has them
		body, err := json.Marshal(t)
		if err != nil {
			h.lost.Add(1)
			continue
		}
		select {
		case h.queue <- body:
		default:
			h.lost.Add(1)
		}
	}
}

// Counts tells what became of the events so far.
func (h *Hook) Counts() view.HookCounts {
	return view.HookCounts{Sent: h.sent.Load(), Retried: h.again.Load(), Failed: h.failed.Load(), Lost: h.lost.Load()}
}

// Run delivers until ctx ends.
func (h *Hook) Run(ctx context.Context) {
	for {
		select {
		case body := <-h.queue:
			h.deliver(ctx, body)
			h.report()
		case <-ctx.Done():
			return
		}
	}
}

// report logs what was lost since the last time.
func (h *Hook) report() {
	if n := h.lost.Load(); n > h.spoken {
		h.c.Log(fmt.Sprintf("%d events were not told to the hook %s: %d were waiting already; it is too slow for so many", n-h.spoken, h.name(), cap(h.queue)))
		h.spoken = n
	}
}

// name is how the log calls the hook. A URL may hold secrets, so only its host is
// named.
func (h *Hook) name() string {
	if u, err := url.Parse(h.c.URL); err == nil && h.c.URL != "" {
		return u.Scheme + "://" + u.Host
	}
	return h.c.Command
}

// deliver tells one event, again if need be.
func (h *Hook) deliver(ctx context.Context, body []byte) {
	var err error
	for try := range h.c.Tries {
		if try > 0 {
			h.again.Add(1)
			select {
			case <-time.After(h.c.Pause << (try - 1)):
			case <-ctx.Done():
				return
			}
		}
		if err = h.call(ctx, body); err == nil {
			h.sent.Add(1)
			return
		}
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errRefused) {
			break // repeating will not help
		}
	}
	h.failed.Add(1)
	h.c.Log(fmt.Sprintf("the hook %s was not told of an event: %v", h.name(), err))
}

// errRefused marks an answer that will be the same next time.
var errRefused = errors.New("it refuses the event")

// call tells one event once.
func (h *Hook) call(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, h.c.Time)
	defer cancel()
	if h.c.URL != "" {
		return h.post(ctx, body)
	}
	return h.run(ctx, body)
}

// cause is the kernel's word for what is wrong with a program.
func cause(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
