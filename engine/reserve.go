package engine

import (
	"errors"

	"bootstorm/engine/link"
)

// reserve takes the ports, so that a second server on this host is found out
// and the kernel keeps silent on them. Those of an interface that does not exist
// follow (renewReservations).
func (s *server) reserve() error {
	for i, name := range s.Interfaces {
		c, err := s.reserveOn(i, name)
		if gone := new(link.DownError); errors.As(err, &gone) {
			c = nil
		} else if err != nil {
			return err
		}
		s.reserved = append(s.reserved, c)
	}
	return nil
}

// reserveOn takes the ports of one interface, by the keeper when this process may
// not any more.
func (s *server) reserveOn(number int, name string) (ports, error) {
	if s.Link.Opener != nil {
		return s.Keeper.Reserve(number)
	}
	return s.world.reserve(name)
}

// renewReservations binds the ports of interfaces that were made anew, whose
// reservations hold nothing any more. It does so at once, before the interface is up
// and has its address: else the kernel would answer the first node that goes on
// with its file that the port is unreachable, and edk2 gives up on that.
func (s *server) renewReservations() {
	s.portsMu.Lock()
	defer s.portsMu.Unlock()
	for i, name := range s.Interfaces {
		if held := s.reserved[i]; held != nil && !held.Stale() {
			continue
		}
		fresh, err := s.reserveOn(i, name)
		var gone *link.DownError
		switch {
		case errors.As(err, &gone): // not there yet
		case err != nil:
			s.log.Warn(err.Error())
		default:
			if held := s.reserved[i]; held != nil {
				held.Close()
			}
			s.reserved[i] = fresh
		}
	}
}
