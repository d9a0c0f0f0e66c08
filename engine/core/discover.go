package core

import "bootstorm/engine/batch"

// decideDiscover answers DHCPDISCOVER (RFC 2131 section 4.3.1) with an offer,
// or not at all.
func (c *Core) decideDiscover(v *verdict) {
	if !c.msg.located {
		v.refuse(batch.ReasonNoSubnet)
		return
	}
	if !c.settle(v) || !c.admitted(v) || !c.patient(v) || !c.billed(v) {
		return
	}
	c.setLease(v)
	v.do = offer
}
