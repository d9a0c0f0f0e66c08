package load

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/fsnotify/fsnotify"
)

// pace is how patient a watch is.
type pace struct {
	quiet  time.Duration // without further changes before one is reported
	most   time.Duration // after the first change, even if they go on
	rescan time.Duration // looking without having been told: network file systems tell nothing
}

var usual = pace{quiet: 300 * time.Millisecond, most: 3 * time.Second, rescan: 15 * time.Second}

// Watch calls onChange after files below root have changed, until ctx ends. A
// burst of changes, such as a copy that takes a while, is reported once it has
// been quiet for 300 ms, and at least every 3 s. Where the kernel reports no
// changes (inotify(7) limits, network file systems), Watch looks every 15 s.
// What counts is the state of the tree, compared with that at the start of Watch:
// begin it before Read, and nothing is missed.
func Watch(ctx context.Context, root string, onChange func()) error {
	return watch(ctx, root, onChange, usual)
}

func watch(ctx context.Context, root string, onChange func(), p pace) error {
	w := &watcher{root: root}
	if n, err := fsnotify.NewWatcher(); err == nil {
		w.notify = n
		w.events, w.errors = n.Events, n.Errors
		defer n.Close()
	}
	w.changed()
	if w.changed() { // while the watches were set
		onChange()
	}
	rescan := time.NewTicker(p.rescan)
	defer rescan.Stop()
	var settle <-chan time.Time // nil: nothing has happened
	var first time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.events:
			if settle == nil {
				first = time.Now()
			}
			settle = time.After(max(0, min(p.quiet, p.most-time.Since(first))))
			continue
		case <-w.errors: // events were lost: look
		case <-rescan.C:
		case <-settle:
		}
		settle = nil
		if w.changed() {
			onChange()
		}
	}
}

// watcher knows the last state of a tree.
type watcher struct {
	root   string
	notify *fsnotify.Watcher // nil: not available
	events chan fsnotify.Event
	errors chan error
	state  uint64
}

// changed looks at the tree, watches directories that are new, and tells
// whether anything differs from the last time.
func (w *watcher) changed() bool {
	tree, err := walk(w.root)
	h := fnv.New64a()
	fmt.Fprintln(h, err)
	for _, f := range tree.found {
		fmt.Fprintln(h, f.name, f.path, f.stamp)
	}
	for _, p := range tree.problems {
		fmt.Fprintln(h, p)
	}
	w.follow(tree.dirs)
	was := w.state
	w.state = h.Sum64()
	return w.state != was
}

// follow has the kernel report changes in the directories. One that it does not
// report, for want of watches, is covered by looking now and then.
func (w *watcher) follow(dirs []string) {
	if w.notify == nil {
		return
	}
	for _, d := range dirs {
		_ = w.notify.Add(d) // harmless if it is watched already
	}
}
