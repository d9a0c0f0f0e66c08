package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/core/binding"
	"bootstorm/engine/plan"
)

// decideBOOTP answers a BOOTP request (RFC 951): a fixed address, or one of a
// range for BOOTP clients (dynamic-bootp), which is then leased without end
// unless dynamic-bootp-lease-length says otherwise. There is no
// offer: the reply is final.
func (c *Core) decideBOOTP(v *verdict) {
	if !c.msg.located {
		v.refuse(batch.ReasonNoSubnet)
		return
	}
	if !c.settle(v) || !c.admitted(v) || !c.billed(v) {
		return
	}
	v.do, v.seconds = reply, infinite
	if s, ok := c.eval.Uint32(plan.DynamicBOOTPLeaseLength); ok {
		v.seconds = s
	}
	// A BOOTP client asks on every boot. Its endless lease needs no second record.
	if v.slot != binding.None {
		s := c.table.At(v.slot)
		v.reuse = s.State == batch.LeaseActive && s.End == binding.Forever && v.seconds == infinite
	}
}
