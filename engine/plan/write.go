package plan

import "bootstorm/proto/dhcp"

// always are the options that dhcpd puts first, in this order, where they have
// a value.
var always = [...]byte{
	dhcp.OptServerID, dhcp.OptLeaseTime, dhcp.OptRenewalTime, dhcp.OptRebindingTime,
	dhcp.OptMessage, dhcp.OptRequestedAddr, optAssociatedIP,
}

// leading come next when the client gives no parameter request list.
var leading = [...]byte{dhcp.OptSubnetMask, dhcp.OptRouters, optDomainNameServers, dhcp.OptHostName, dhcp.OptFQDN}

const (
	optDomainNameServers = 6
	optAssociatedIP      = 92 // RFC 4388
)

// WriteOptions appends the options of the reply: message type, server
// identifier, lease time, renewal and rebinding time if the configuration sets
// them, then what the core Set, then what the parameter request list asks for,
// in its order (the configuration's dhcp-parameter-request-list before the
// client's), then the subnet mask. Without a list everything that is set is
// sent, in dhcpd's order. The relay's option 82, if the core Set it, comes
// last. An option that does not fit is left out and what follows is tried.
//
// A DHCPNAK carries its type, the server identifier and what the core Set.
func (e *Eval) WriteOptions(w *dhcp.Writer, kind dhcp.Type) {
	if kind != dhcp.BOOTP {
		t := [1]byte{byte(kind)}
		w.Option(dhcp.OptMessageType, t[:])
	}
	e.validateTimes()
	e.list(kind)
	// The relay takes its option off again, so the client gets the same reply with
	// or without it: the others must not use its room.
	reserve := e.agentRoom()
	for _, code := range e.order[:e.orderUsed] {
		e.write(w, code, reserve)
	}
	if reserve > 0 {
		v, _ := e.slotValue(dhcp.OptRelayAgent)
		w.Option(dhcp.OptRelayAgent, v)
	}
}

// agentRoom returns how much of the message option 82 needs, 0 if it is not
// sent.
func (e *Eval) agentRoom() int {
	if !e.has(e.forced[:e.forcedUsed], dhcp.OptRelayAgent) {
		return 0
	}
	v, _ := e.slotValue(dhcp.OptRelayAgent)
	return encoded(v)
}

// encoded is the size of a value with its headers (RFC 3396).
func encoded(v []byte) int { return len(v) + 2*max(1, (len(v)+254)/255) }

// has tells whether a code is in a short list.
func (e *Eval) has(list []byte, code byte) bool {
	for _, c := range list {
		if c == code {
			return true
		}
	}
	return false
}

// write sends one option if it has a value and leaves reserve bytes.
func (e *Eval) write(w *dhcp.Writer, code byte, reserve int) {
	mark := e.used
	v, ok := e.Option(code)
	if ok && e.endsWithNUL(code) {
		v = e.withNUL(v)
	}
	if ok && encoded(v) <= w.Room()-reserve {
		w.Option(code, v)
	}
	e.release(mark)
}

// endsWithNUL: a client that ends its host name with NUL expects the same of
// the server's texts.
func (e *Eval) endsWithNUL(code byte) bool {
	if e.prog.Text[code>>6]>>(code&63)&1 == 0 {
		return false
	}
	name, ok := e.req.Options.Get(dhcp.OptHostName)
	return ok && len(name) > 0 && name[len(name)-1] == 0
}

// withNUL is v and a zero byte.
func (e *Eval) withNUL(v []byte) []byte {
	b := e.room(len(v) + 1)
	if b == nil {
		return v
	}
	b[copy(b, v)] = 0
	return b
}

// validateTimes drops a configured rebinding time that is not shorter than the
// lease, and a renewal time that is not shorter than that or the lease.
func (e *Eval) validateTimes() {
	if !e.isSet(dhcp.OptRebindingTime) && !e.isSet(dhcp.OptRenewalTime) {
		return
	}
	limit, ok := e.seconds(dhcp.OptLeaseTime)
	if !ok {
		return
	}
	if t, has := e.seconds(dhcp.OptRebindingTime); has {
		if t >= limit {
			e.unset(dhcp.OptRebindingTime)
		} else {
			limit = t
		}
	}
	if t, has := e.seconds(dhcp.OptRenewalTime); has && t >= limit {
		e.unset(dhcp.OptRenewalTime)
	}
}

// seconds reads a time option; ok is false unless it has its four bytes.
func (e *Eval) seconds(slot int32) (uint64, bool) {
	v, ok := e.slotValue(slot)
	return bigEndian(v), ok && len(v) == 4
}
