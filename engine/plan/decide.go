package plan

import (
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// SetLeaseTime tells how long the lease will be that the reply gives, in seconds:
// what options and parameters that are read from then on take for lease-time.
// Statements that Decide executed had the old lease's remaining time, since they
// may set the new one's.
func (e *Eval) SetLeaseTime(seconds uint32) { e.lease = seconds }

// Decide executes the statements in scope for the address that the core chose,
// outermost first: the subnet's with all around it, the pool's, those of the
// client's classes (the class declared first has the last word among them, as
// in dhcpd), then the host's with the groups around it. pool and host may be
// -1, addr may be 0. leaseSeconds is the remaining time of an existing lease
// (the lease-time expression), 0 if none.
//
// Decide may be called again, for another address: it forgets what an earlier
// call and SetOption left in the reply.
//
// A scope that was executed for the pool or subnet is not executed again for a
// class or host that is declared inside it.
func (e *Eval) Decide(pool, host int32, addr proto.Addr, leaseSeconds uint32) {
	if e.deciding {
		e.forget()
	}
	e.addr, e.lease, e.host = addr, leaseSeconds, host
	e.static = host >= 0 && addr != 0 && e.fixedHas(host, addr)
	e.deciding = true
	subnet := e.subnetFor(addr)
	base := int32(-1)
	if subnet >= 0 {
		base = e.plan.Subnets[subnet].Scope
	} else if len(e.prog.Scopes) > 0 {
		base = 0 // no subnet is declared for the message: the global scope
	}
	e.inScope(base, -1)
	if pool >= 0 {
		own := e.plan.Pools[pool].Scope
		e.inScope(own, e.prog.parent(own))
		base = own
	}
	for i := e.classN - 1; i >= 0; i-- {
		e.inScope(e.plan.Classes[e.classes[i].class].Scope, base)
	}
	if host >= 0 {
		e.inScope(e.plan.Hosts[host].Scope, base)
	}
	e.defaults(subnet)
}

// subnetFor returns the subnet whose statements apply: the address's, since a
// network may have several, else the one that Begin was told.
func (e *Eval) subnetFor(addr proto.Addr) int32 {
	if addr != 0 {
		if s := e.plan.SubnetOf(e.network, addr); s >= 0 {
			return s
		}
	}
	return e.subnet
}

// fixedHas tells whether an address is one of the host's own, which is what the
// expression "static" asks: a host without addresses may get one from a pool.
func (e *Eval) fixedHas(host int32, addr proto.Addr) bool {
	for _, a := range e.plan.Hosts[host].Fixed {
		if a == addr {
			return true
		}
	}
	return false
}

// parent returns the scope around a scope, -1 if there is none.
func (p *Program) parent(scope int32) int32 {
	if scope < 0 {
		return -1
	}
	return p.Scopes[scope].Parent
}

// inScope executes a scope and those around it, outermost first, but none that
// is limit or stands around limit: those have been executed before.
func (e *Eval) inScope(scope, limit int32) {
	if scope < 0 || e.prog.around(scope, limit) || !e.enter() {
		return
	}
	s := &e.prog.Scopes[scope]
	e.inScope(s.Parent, limit)
	e.run(s.Body)
	e.leave()
}

// around tells whether scope is limit or one of the scopes that limit stands in.
func (p *Program) around(scope, limit int32) bool {
	for ; limit >= 0; limit = p.Scopes[limit].Parent {
		if limit == scope {
			return true
		}
	}
	return false
}

// defaults are the options that dhcpd adds where the statements left none.
func (e *Eval) defaults(subnet int32) {
	if subnet >= 0 && !e.isSet(dhcp.OptSubnetMask) {
		s := &e.plan.Subnets[subnet]
		mask := s.Mask.Bytes()
		e.give(dhcp.OptSubnetMask, mask[:], s.Origin)
	}
	if e.host >= 0 && !e.isSet(dhcp.OptHostName) && e.Bool(UseHostDeclNames, false) {
		h := &e.plan.Hosts[e.host]
		if b := e.room(len(h.Name)); b != nil {
			copy(b, h.Name)
			e.place(dhcp.OptHostName, b, h.Origin)
		}
	}
}
