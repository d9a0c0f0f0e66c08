package engine

import (
	"fmt"
	"strings"

	"bootstorm/engine/batch"
	"bootstorm/engine/plan"
)

// reportLinks warns of what interfaces and configuration together make wrong:
// an interface without a subnet, and the server's own address in a range.
func (s *server) reportLinks() {
	p := s.setup.Plan
	for i := range s.links {
		l := &s.links[i]
		if len(l.Addrs) > 0 && !served(p, l) {
			e := batch.Event{Reason: batch.ReasonNoSubnet, Link: uint8(i)}
			s.log.Warn("nobody gets an address on " + l.Name + ": " + Advice{Setup: s.setup, Links: s.links}.Refusal(&e))
		}
		for _, a := range l.Addrs {
			if r := p.RangeOf(a.Addr); r >= 0 {
				s.log.Warn(fmt.Sprintf("the server's own address %s is in a range (%s); it is not given out, but take it out of the range",
					a.Addr, place(&p.Origins[p.Ranges[r].Origin])))
			}
		}
	}
}

// place writes a place of the configuration and what stands there.
func place(o *plan.Origin) string {
	return fmt.Sprintf("%s:%d: %s", o.File, o.Line, strings.TrimRight(o.Text, "; {"))
}

// served tells whether a subnet is declared for an interface.
func served(p *plan.Plan, l *plan.Link) bool {
	for i := range p.Subnets {
		s := &p.Subnets[i]
		if s.Interface == l.Name {
			return true
		}
		for _, a := range l.Addrs {
			if s.Contains(a.Addr) {
				return true
			}
		}
	}
	return false
}
