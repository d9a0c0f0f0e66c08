package engine

import (
	"io"
	"os"
	"time"

	"bootstorm/engine/image/load"
	"bootstorm/engine/lease"
	"bootstorm/engine/link"
	"bootstorm/engine/plan"
)

// socket is what the manager needs of a *link.Set beside the worker's wire.
type socket interface {
	wire
	Stale() []string
	Describe() []string
	Stats() link.Stats
	Close() error
}

// ports is what the manager needs of a link.Reservation.
type ports interface {
	io.Closer
	Stale() bool
}

// world is what the shell asks of the operating system. Tests put another one
// in its place.
type world struct {
	inspect  func(name string) (plan.Link, bool, error)
	open     func(names []string, workers int, o link.Options) ([]socket, error)
	reserve  func(name string) (ports, error)
	watch    func(root string, onChange func(), stop <-chan struct{}) error
	changes  func(onChange func(), stop <-chan struct{}) error // of the interfaces
	exists   func(path string) bool
	fallback func() []load.File
	leases   lease.FS      // where the lease file is; nil: the operating system's
	poll     time.Duration // how often interfaces are looked at, even if nothing is said to have changed
}

// system returns the operating system's world.
func system() world {
	return world{
		inspect: link.Interface,
		open: func(names []string, workers int, o link.Options) (all []socket, err error) {
			sets, err := link.OpenShared(names, workers, o)
			for _, s := range sets {
				all = append(all, s)
			}
			return all, err
		},
		reserve:  func(name string) (ports, error) { return link.Reserve(name) },
		watch:    watchFiles,
		changes:  link.Changes,
		exists:   func(path string) bool { _, err := os.Stat(path); return err == nil },
		fallback: load.Builtin,
		poll:     time.Second,
	}
}
