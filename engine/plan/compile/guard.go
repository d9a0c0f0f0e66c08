package compile

import (
	"bootstorm/engine/config"
	"bootstorm/engine/plan"
	"bootstorm/proto"
)

// Defaults of the rate limits. The densest that a sound client sends is iPXE's
// REQUESTs at 0, 0.25, 0.75 and 1.75 s, 4 in 2 s; a whole boot in which every
// message is lost until the last try, firmware, iPXE, boot loader and system one
// upon the other, has fewer than 64 messages, so the burst takes all of it at
// once. Of TFTP requests most come from boot loaders that look for their
// configuration by a dozen names or load 200 modules, a few milliseconds apart:
// fewer than the burst of 512.
const (
	defaultMessages = 8
	defaultRequests = 64
)

// mostRate is the highest rate that a limit can have, a second.
const mostRate = 1_000_000_000

// guardNames are the statements that hold for the whole server.
var guardNames = []string{"known-clients-first", "dhcp-rate-limit", "tftp-rate-limit", "permitted-servers"}

// guard reads the statements that protect the server. They are applied before
// there is a message to evaluate, so they are constants outside of all
// declarations; elsewhere they are warned about.
func (c *compiler) guard() {
	g := plan.Guard{KnownFirst: true, Messages: defaultMessages, Requests: defaultRequests}
	for i := range c.tree.Root.Statements {
		s := &c.tree.Root.Statements[i]
		g.Messages = min(staticNumber(s, "dhcp-rate-limit", g.Messages), mostRate)
		g.Requests = min(staticNumber(s, "tftp-rate-limit", g.Requests), mostRate)
		if text, ok := constantBytes(s.Expr); ok && isParameter(s, "known-clients-first") {
			g.KnownFirst = len(text) == 0 || text[len(text)-1] == byte(plan.Allow)
		}
		if text, ok := constantBytes(s.Expr); ok && isParameter(s, "permitted-servers") {
			g.Servers = nil
			for ; len(text) >= 4; text = text[4:] {
				g.Servers = append(g.Servers, proto.AddrFrom((*[4]byte)(text)))
			}
		}
	}
	c.plan.Guard = g
	c.misplacedGuards()
}

// misplacedGuards warns about such statements where they have no effect.
func (c *compiler) misplacedGuards() {
	global := map[config.Pos]bool{}
	for i := range c.tree.Root.Statements {
		if s := &c.tree.Root.Statements[i]; s.Kind == config.StatementOption {
			if _, ok := constantBytes(s.Expr); ok {
				global[s.Pos] = true
			}
		}
	}
	c.allScopes(func(scope *config.Scope) {
		config.Walk(scope.Statements, func(s *config.Statement) {
			for _, name := range guardNames {
				if isParameter(s, name) && !global[s.Pos] {
					c.repeated(name, s.Pos, "write it with a constant value, outside of all declarations and conditions",
						"%s holds for the whole server: here it has no effect", name)
				}
			}
		})
	})
}
