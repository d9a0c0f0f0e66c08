package compile

import (
	"bootstorm/engine/config"
	"bootstorm/proto/dhcp"
)

// check looks for what is valid and will not work at the client.
func (c *compiler) check() {
	if len(c.plan.Subnets) == 0 && !c.failed {
		c.warn(config.Pos{File: c.mainFile(), Line: 1, Col: 1}, "declare the subnet of the interface", "no subnet is declared: nobody gets an address")
	}
	c.allScopes(func(s *config.Scope) {
		config.Walk(s.Statements, func(s *config.Statement) {
			if s.Kind == config.StatementOption {
				c.checkOption(s)
			}
		})
	})
	c.warnTraps()
	c.checkSize()
}

// mainFile is the file that the others are included from.
func (c *compiler) mainFile() string {
	if len(c.tree.Sources) > 0 {
		return c.tree.Sources[0].Name
	}
	return ""
}

// dhcpCode is the code of an option of space dhcp, -1 for one of another space.
func (c *compiler) dhcpCode(o *config.OptionDef) int {
	if o.Space.Name == config.SpaceDHCP {
		return int(o.Code)
	}
	return -1
}

// Sizes of the header fields that hold these names, with a final NUL
// (RFC 2131 section 2).
const (
	maxFilename   = 127
	maxServerName = 63
)

// checkOption warns about texts that do not fit the fixed fields of the message.
// As options the same texts may be longer.
func (c *compiler) checkOption(s *config.Statement) {
	if s.Expr == nil || s.Option.Space.Name != config.SpaceServer {
		return
	}
	text, ok := joined(s.Expr)
	if !ok {
		return
	}
	switch {
	case s.Option.Name == "filename" && len(text) > maxFilename:
		c.warn(s.Pos, "use a shorter name, or send it as option bootfile-name",
			"the file name has %d bytes, the field of the message holds %d: it is cut", len(text), maxFilename)
	case s.Option.Name == "server-name" && len(text) > maxServerName:
		c.warn(s.Pos, "use a shorter name, or send it as option tftp-server-name",
			"the server name has %d bytes, the field of the message holds %d: it is cut", len(text), maxServerName)
	}
}

// isPXEClient tells whether a constant value is what firmware takes for the mark
// of a PXE server (PXE 2.1, option 60).
func (c *compiler) isPXEClient(x *config.Expr) bool {
	if x == nil {
		return false
	}
	text, ok := joined(x)
	return ok && len(text) >= 9 && string(text[:9]) == "PXEClient"
}

// has43Space tells whether option 43 is made of a space's options.
func (c *compiler) has43Space() bool { return c.prog.Encapsulated[dhcp.OptVendorSpecific] >= 0 }

// alwaysSent is what every reply carries besides the configured options: type,
// server identifier, lease time and mask with their headers, and the END.
const alwaysSent = 3 + 6 + 6 + 6 + 1

// checkSize warns about a subnet whose constant options together exceed what
// every client accepts.
func (c *compiler) checkSize() {
	for s := range c.subnetOf {
		sizes := map[int32]int{}
		for at := s; at != nil; at = at.Parent {
			c.measure(at.Statements, sizes)
		}
		// Options under conditions may exclude each other and computed ones have no
		// known size: the estimate is for the usual file of constants.
		total := dhcp.OptionsOff + alwaysSent
		for _, n := range sizes {
			total += n
		}
		if total > dhcp.MaxUDP {
			c.warn(s.Pos, "send fewer or shorter options",
				"a reply with all options of this subnet has %d bytes; a client that does not announce more accepts %d: the last ones are left out", total, dhcp.MaxUDP)
		}
	}
}

// measure notes the largest constant value of each option.
func (c *compiler) measure(list []config.Statement, sizes map[int32]int) {
	config.Walk(list, func(s *config.Statement) {
		if s.Kind != config.StatementOption || s.Expr == nil || s.Option.Space.Name == config.SpaceServer {
			return
		}
		slot, ok := c.slot(s.Option)
		text, constant := joined(s.Expr)
		if ok && constant && slot != dhcp.OptSubnetMask {
			sizes[slot] = max(sizes[slot], 2+len(text))
		}
	})
}
