package bench

import (
	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// renewalTime is how long a Linux client waits before it renews: what the
// configuration says, else half of the lease (RFC 2131 section 4.4.5).
func (n *node) renewalTime(pause int64) int64 {
	if pause > 0 {
		return pause
	}
	return int64(n.lease.seconds) * batch.Second / 2
}

// renewExpire begins the renewal, or repeats it.
func (n *node) renewExpire(now int64) {
	if n.dhcp.phase == bound {
		n.phase = now
		n.dhcp.phase, n.dhcp.tries, n.dhcp.xid = renewing, 0, uint32(n.rng.Uint64())
		if n.resolve(now, n.lease.server) {
			n.renew(now)
		}
		return
	}
	if n.dhcp.tries == len(retry[linux].request) {
		n.fail(now, "no ACK for a renewal after %d REQUESTs", n.dhcp.tries)
		return
	}
	n.storm.stats.repeated.Request++
	n.renew(now)
}

// renew sends the REQUEST of RENEWING: unicast, ciaddr filled in, neither
// server identifier nor requested address (RFC 2131 section 4.3.2).
func (n *node) renew(now int64) {
	msg := n.message(now, dhcp.Request)
	dhcp.View(msg).SetCIAddr(n.addr)
	n.send(proto.PortBOOTPClient, proto.PortBOOTPServer, n.lease.server, msg)
	n.arm(now, retry[linux].request)
}
