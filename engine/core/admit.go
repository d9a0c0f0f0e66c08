package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/engine/plan"
	"bootstorm/proto/dhcp"
)

// admitted applies the statements that keep clients out as a whole: allow, deny
// and ignore of unknown-clients, bootp and booting. They come after the address
// is found, since any scope may set them, that of the pool or the host too.
func (c *Core) admitted(v *verdict) bool {
	m := &c.msg
	// As in dhcpd, a declaration whose fixed addresses are all on other networks
	// lets pools and the statement "if known" know the client, but does not admit it.
	if m.host < 0 && !c.allowed(v, plan.BootUnknownClients) {
		return false
	}
	if m.kind == dhcp.BOOTP && !c.allowed(v, plan.AllowBOOTP) {
		return false
	}
	return c.allowed(v, plan.AllowBooting)
}

// allowed applies one policy. deny and ignore differ for dhcpd only in what it
// logs; here the reason of the event tells them apart.
func (c *Core) allowed(v *verdict, p plan.Param) bool {
	switch c.eval.Policy(p, plan.Allow) {
	case plan.Allow:
		return true
	case plan.Ignore:
		v.reason = batch.ReasonIgnored
	default:
		v.reason = batch.ReasonDenied
	}
	v.rule = c.eval.OriginOf(p)
	return v.refuse(v.reason)
}

// patient applies min-secs, which keeps this server back for others to answer.
func (c *Core) patient(v *verdict) bool {
	// The field counts seconds only if the client keeps to RFC 2131; iPXE does not.
	secs, ok := c.eval.Uint32(plan.MinSecs)
	if !ok || uint32(c.request.Header.Secs()) >= secs {
		return true
	}
	v.rule = c.eval.OriginOf(plan.MinSecs)
	return v.refuse(batch.ReasonIgnored)
}

// billed finds the class instance that the lease counts against (lease limit):
// the one that it counts against already, else the first with room.
func (c *Core) billed(v *verdict) bool {
	if v.slot == binding.None {
		return true
	}
	s := c.table.At(v.slot)
	limited := false // a class with a limit claims the client, so one of them must have room
	for i := 0; ; i++ {
		key, limit, ok := c.eval.Limit(i)
		if !ok {
			break
		}
		limited = true
		// A renewal keeps its place even if the limit was lowered since.
		if s.Bill == key && s.State == batch.LeaseActive && c.table.Owns(v.slot, &c.msg.client) {
			v.bill = key
			return true
		}
		if v.bill == 0 && c.table.Billed(key) < limit {
			v.bill = key
		}
	}
	if limited && v.bill == 0 {
		return v.refuse(batch.ReasonLeaseLimit)
	}
	return true
}
