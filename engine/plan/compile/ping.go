package compile

import (
	"bootstorm/engine/config"
	"bootstorm/engine/plan"
)

// pingCheck reads ping-check and its timeout for a pool without a message: the
// check is off only if no scope, class or host could turn it on again.
func (c *compiler) pingCheck(pool *config.Scope) (check bool, nanos int64) {
	seconds, millis := int64(1), int64(0) // dhcpd's defaults; milliseconds count if they are set
	on := true
	for _, s := range around(pool) {
		for i := range s.Statements {
			on = staticFlag(&s.Statements[i], on)
			seconds = staticNumber(&s.Statements[i], "ping-timeout", seconds)
			millis = staticNumber(&s.Statements[i], "ping-timeout-ms", millis)
		}
	}
	if millis > 0 {
		return on || c.pingElsewhere, millis * 1e6
	}
	return on || c.pingElsewhere, seconds * 1e9
}

// around lists a scope and those that it stands in, the outermost first, as the
// statements are executed.
func around(s *config.Scope) (chain []*config.Scope) {
	for ; s != nil; s = s.Parent {
		chain = append([]*config.Scope{s}, chain...)
	}
	return chain
}

// abandonTime reads abandon-lease-time likewise, in seconds: a conflict is
// mostly seen without a message, so nothing can be evaluated when it is.
func abandonTime(pool *config.Scope) int64 {
	seconds := int64(86400)
	for _, s := range around(pool) {
		for i := range s.Statements {
			seconds = staticNumber(&s.Statements[i], "abandon-lease-time", seconds)
		}
	}
	return seconds
}

// staticFlag is the state of ping-check after a statement: what stands under a
// condition may be true.
func staticFlag(s *config.Statement, on bool) bool {
	if s.Kind == config.StatementOption {
		if isParameter(s, "ping-check") {
			text, ok := constantBytes(s.Expr)
			return !ok || len(text) == 0 || text[len(text)-1] == byte(plan.Allow)
		}
		return on
	}
	config.Walk([]config.Statement{*s}, func(in *config.Statement) {
		on = on || isParameter(in, "ping-check")
	})
	return on
}

// isParameter tells whether a statement sets the parameter of that name.
func isParameter(s *config.Statement, name string) bool {
	return s.Kind == config.StatementOption && s.Option.Space.Name == config.SpaceServer && s.Option.Name == name
}

// constantBytes is the value of an expression that needs no message.
func constantBytes(x *config.Expr) ([]byte, bool) {
	switch {
	case x == nil:
		return nil, false
	case x.Op == config.OpTrue:
		return []byte{1}, true
	case x.Op == config.OpFalse:
		return []byte{0}, true
	case x.Op == config.OpNumber:
		return []byte{byte(x.Number >> 24), byte(x.Number >> 16), byte(x.Number >> 8), byte(x.Number)}, true
	}
	return joined(x)
}

// staticNumber is the value of a parameter after a statement; computed values are
// passed over, because there is no message to compute them from.
func staticNumber(s *config.Statement, name string, otherwise int64) int64 {
	if !isParameter(s, name) {
		return otherwise
	}
	text, ok := constantBytes(s.Expr)
	if !ok || len(text) > 4 {
		return otherwise
	}
	n := int64(0)
	for _, b := range text {
		n = n<<8 | int64(b)
	}
	return n
}

// findPingElsewhere notes whether a class or host sets ping-check.
func (c *compiler) findPingElsewhere() {
	c.allScopes(func(s *config.Scope) {
		switch s.Kind {
		case config.ScopeClass, config.ScopeSubclass, config.ScopeHost:
			config.Walk(s.Statements, func(in *config.Statement) {
				c.pingElsewhere = c.pingElsewhere || isParameter(in, "ping-check")
			})
		}
	})
}
