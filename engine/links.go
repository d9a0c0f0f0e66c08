package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bootstorm/engine/link"
	"bootstorm/engine/plan"
	"bootstorm/engine/span"
)

// An interface is looked at when the kernel says that one has changed, and once a
// second in any case. What can be wrong with one, and what is done:
//
//	does not exist    at start: wait, unless another one is usable. Later: its
//	                  sockets are dead. When it is there and up, all sockets are
//	                  opened anew
//	is down           at start: wait, unless another one is usable. Later: say
//	                  so; the sockets work again by themselves
//	has no address    at start: wait, likewise. Later: nobody can be answered
//	                  there, since every answer names the server's address
//	changed           the core is told the new addresses, MAC and MTU; a derived
//	                  configuration is derived anew

// awaitLinks waits until one interface is up with an address, and says what it
// waits for whenever that changes. The others may follow while the server runs.
func (s *server) awaitLinks(ctx context.Context) error {
	said := ""
	for {
		missing, err := s.lookAtLinks()
		if missing == "" || err != nil {
			return err
		}
		if missing != said {
			s.log.Warn("nobody is served yet; waiting: " + missing)
			tellSystemd("STATUS=waiting: " + missing)
			said = missing
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(s.world.poll):
		}
	}
}

// lookAtLinks reads the state of all interfaces and returns what keeps the
// server from starting, "" if nothing does; then it warns of those that have to
// follow. An error is one that no waiting mends.
func (s *server) lookAtLinks() (missing string, err error) {
	s.links, s.up = make([]plan.Link, len(s.Interfaces)), make([]bool, len(s.Interfaces))
	usable := false
	var wrong []string
	for i, name := range s.Interfaces {
		l, up, err := s.world.inspect(name)
		l.Name = name
		s.links[i], s.up[i] = l, up
		var gone *link.DownError
		switch {
		case errors.As(err, &gone):
			wrong = append(wrong, fmt.Sprintf("%v; check the name with \"ip link\", it is served as soon as it is there", err))
		case err != nil:
			return "", err
		case !up:
			wrong = append(wrong, fmt.Sprintf("interface %s is down; \"ip link set %s up\"", name, name))
		case len(l.Addrs) == 0:
			wrong = append(wrong, fmt.Sprintf("interface %s has no IPv4 address; \"ip address add ADDRESS/PREFIX dev %s\"", name, name))
		default:
			usable = true
		}
	}
	if !usable {
		return strings.Join(wrong, "; "), nil
	}
	for _, text := range wrong {
		s.log.Warn("nobody is served there: " + text)
	}
	return "", nil
}

// checkLinks looks for what changed at the interfaces since the last look. The
// sockets of an interface that was down work again by themselves; those of one
// that was made anew do not.
func (s *server) checkLinks() {
	changed := false
	for i, name := range s.Interfaces {
		l, up, err := s.world.inspect(name)
		up = up && err == nil
		switch {
		case s.up[i] && err != nil:
			s.log.Warn(fmt.Sprintf("%v: nobody is served there; waiting for it", err))
		case s.up[i] && !up:
			s.log.Warn(fmt.Sprintf("interface %s is down: nobody is served there; waiting for it to come up", name))
		case !s.up[i] && up:
			s.log.Info(fmt.Sprintf("interface %s is up: serving again", name))
		}
		s.up[i] = up
		if err != nil || sameLink(&s.links[i], &l) {
			continue // what is known of it stays: it will be the same when it comes back
		}
		if up && len(l.Addrs) == 0 && len(s.links[i].Addrs) > 0 {
			s.log.Warn(fmt.Sprintf("interface %s has lost its address: nobody is served there until it has one", name))
		}
		changed = true
		s.links[i] = l
	}
	if changed {
		s.linksChanged()
	}
	s.renewReservations()
	if slices.ContainsFunc(s.sockets[0].Stale(), s.isUp) {
		s.reopen()
	}
}

// watchLinks has the interfaces looked at as soon as one changes.
func (s *server) watchLinks() {
	s.running.Go(func() {
		moved := poke(s.moved)
		onChange := func() {
			s.renewReservations() // here: the manager may be in the middle of a reload
			moved()
		}
		if err := s.world.changes(onChange, s.cold.Done()); err != nil && s.cold.Err() == nil {
			s.log.Warn(fmt.Sprintf("the kernel does not tell when an interface changes: %v; they are looked at every %s", err, span.Exact(s.world.poll)))
		}
	})
}

// isUp tells whether an interface is there and up.
func (s *server) isUp(name string) bool { return s.up[slices.Index(s.Interfaces, name)] }

// sameLink compares what the core knows of an interface.
func sameLink(a, b *plan.Link) bool {
	return a.MAC == b.MAC && a.MTU == b.MTU && slices.Equal(a.Addrs, b.Addrs)
}

// linksChanged brings new addresses, MACs or MTUs into force.
func (s *server) linksChanged() {
	links := slices.Clone(s.links)
	s.links = links            // the old slice is the observer's and the core's
	table := s.refill(s.setup) // they name this server's address
	s.onAll(func(w *worker) {
		w.core.SetLinks(links)
		w.core.Transfers().SetRendered(table)
	})
	s.publish()
	if s.setup.Derived != nil {
		_ = s.reload("the interfaces changed") // the log says it
		return
	}
	s.reportLinks()
	s.log.Info("the interfaces changed: " + s.summary())
}

// reopen replaces the sockets, whose interface was removed and made again.
func (s *server) reopen() {
	s.log.Info("opening the interfaces again")
	// The workers stop between two batches and keep everything they know:
	// transfers go on where they were, on the new sockets.
	s.halt()
	if s.gather(nil) != nil {
		return // the manager ends the server with what it finds
	}
	old := s.sockets
	if err := s.open(); err != nil {
		s.log.Warn(err.Error() + "; trying again")
	} else {
		for _, c := range old {
			c.Close()
		}
	}
	s.run()
}
