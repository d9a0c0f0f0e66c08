// Package engine is the shell around the core: it loads configuration and boot
// files, opens the lease journal and the interfaces, runs the worker that moves
// frames through the core, reloads without stopping it, tells the operator and
// systemd how things are, and ends cleanly. Everything that blocks, allocates or
// logs happens here, on the cold side; the worker goroutine only moves frames.
//
// The parts and their goroutines:
//
//	worker    one goroutine locked to its thread: receive, core, send, wait;
//	          more of them share TFTP if they are asked for (crew.go)
//	journal   writes leases (package lease); wakes the worker after each sync
//	observer  takes events from a ring, logs them, and sends them to the view
//	manager   signals, interfaces, file changes, reload, watchdog, and what the
//	          view asks for
//
// The view (engine/view) is a process of its own, which shows the boots to the
// operator. The keeper (engine/keeper) is another, which starts it.
package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"bootstorm/engine/capture"
	"bootstorm/engine/keeper"
	"bootstorm/engine/link"
)

// Defaults of Config.
const (
	DefaultRoot      = "/srv/tftp"
	DefaultLeaseFile = "/var/lib/bootstorm/dhcpd.leases"
)

// DefaultFiles are the configuration files that are looked for when none is
// named, in this order.
var DefaultFiles = []string{"/etc/bootstorm/dhcpd.conf", "/etc/dhcp/dhcpd.conf"}

// Config is what serve is told on its command line.
type Config struct {
	Interfaces []string     // at least one
	File       string       // configuration; "": the first of DefaultFiles that exists, else derived
	Root       string       // directory of the boot files
	LeaseFile  string       // lease database
	WindowMax  int          // largest TFTP windowsize granted (RFC 7440), 1 to 64; 0: 64
	Memory     int64        // most bytes of boot files to keep in memory; 0: half of the machine's
	Workers    int          // goroutines that serve TFTP, each on a processor when it is busy; 0: 1
	Link       link.Options // forced rungs of the socket ladder
	Log        *zap.Logger
	Version    string // for the first log line
	Sandbox    string // SandboxOff, SandboxOn or SandboxStrict
	User       string // whom root becomes in a sandbox; "": sandbox.DefaultUser, if there is one

	// Keeper opens sockets, and starts the process that shows what happens if there
	// is to be one; nil: neither.
	Keeper *keeper.Client
	// View says that the Keeper starts it; else the log tells every step of a boot.
	View bool
	// ViewPatience is how long the view may give no sign of life before it is ended
	// and started again; 0: DefaultViewPatience.
	ViewPatience time.Duration
	Explain      func(Explanation) (string, error) // answers feed.Explain; nil: nobody does

	// Captures are where each worker remembers its last frames, by worker; nil:
	// nowhere.
	Captures []*capture.Lanes

	world world // zero: the operating system
}

// DefaultViewPatience is far beyond what a view needs on a machine that is busy with
// a storm: it gives a sign of life every second.
const DefaultViewPatience = 30 * time.Second

// stopTime is how long the worker may take to stop. Some more is given
// to what the end sets free: acknowledgements that the network does not take by
// then are lost, and the clients ask again.
const stopTime = 2 * time.Second

// Serve runs the server until ctx ends, which is no error. SIGHUP reloads. An
// error says what failed, why, and what to do.
func Serve(ctx context.Context, c Config) error {
	if len(c.Interfaces) == 0 {
		return errors.New("no interface to serve on: name one with --interface")
	}
	c.Interfaces = distinct(c.Interfaces)
	s := newServer(c)
	defer s.close() // whatever of it there is by then
	if err := s.prepare(ctx); err != nil {
		return quiet(ctx, err)
	}
	s.announce()
	// From here on the worker serves. The manager returns when it is time to
	// end, or with the error that ended the worker; either way what the
	// journal holds is made durable before the process goes.
	err := s.manage(ctx)
	s.log.Info("stopping")
	tellSystemd("STOPPING=1")
	return errors.Join(err, s.stop())
}

// distinct drops interfaces that are named again.
func distinct(names []string) (out []string) {
	for _, n := range names {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// quiet turns an error that only says "ctx ended" into none: to be stopped
// while waiting for an interface is a clean end.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// plural writes a count with its noun.
func plural(n int, noun string) string {
	// The nouns are ours, so three rules of English are enough.
	switch {
	case n == 1:
		return "1 " + noun
	case len(noun) > 1 && noun[len(noun)-1] == 's':
		return fmt.Sprintf("%d %ses", n, noun)
	case len(noun) > 2 && noun[len(noun)-2:] == "ry":
		return fmt.Sprintf("%d %sies", n, noun[:len(noun)-1])
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
