package compile

import (
	"sort"

	"bootstorm/engine/config"
	"bootstorm/engine/plan"
)

// parameters maps the options of space "server" that have an effect here, by
// their dhcpd.conf names, to what the core asks for. A parameter that is not
// here was reported by the parser.
var parameters = map[string]plan.Param{
	"default-lease-time":            plan.DefaultLeaseTime,
	"max-lease-time":                plan.MaxLeaseTime,
	"min-lease-time":                plan.MinLeaseTime,
	"dynamic-bootp-lease-length":    plan.DynamicBOOTPLeaseLength,
	"dynamic-bootp-lease-cutoff":    plan.DynamicBOOTPLeaseCutoff,
	"boot-unknown-clients":          plan.BootUnknownClients,
	"allow-bootp":                   plan.AllowBOOTP,
	"allow-booting":                 plan.AllowBooting,
	"one-lease-per-client":          plan.OneLeasePerClient,
	"ignore-client-uids":            plan.IgnoreClientUIDs,
	"always-broadcast":              plan.AlwaysBroadcast,
	"always-reply-rfc1048":          plan.AlwaysReplyRFC1048,
	"next-server":                   plan.NextServer,
	"filename":                      plan.Filename,
	"server-name":                   plan.ServerName,
	"get-lease-hostnames":           plan.GetLeaseHostnames,
	"use-host-decl-names":           plan.UseHostDeclNames,
	"stash-agent-options":           plan.StashAgentOptions,
	"duplicates":                    plan.Duplicates,
	"declines":                      plan.Declines,
	"ping-check":                    plan.PingCheck,
	"echo-client-id":                plan.EchoClientID,
	"dhcp-cache-threshold":          plan.CacheThreshold,
	"min-secs":                      plan.MinSecs,
	"adaptive-lease-time-threshold": plan.AdaptiveLeaseTimeThreshold,
	"vendor-option-space":           plan.VendorOptionSpace,
	"site-option-space":             plan.SiteOptionSpace,
	"boot-hints":                    plan.BootHints,
	"ipv6-router-advertisement":     plan.RouterAdvertisement,
	"repeat-answers":                plan.RepeatAnswers,
	"answer-arp":                    plan.AnswerARP,
}

const (
	noSpace       = -1
	vendorOptions = 43
)

// declareSpaces makes a plan.Space of each option space other than dhcp and
// server, and notes which options of space dhcp enclose one.
func (c *compiler) declareSpaces() {
	for i := range c.prog.Encapsulated {
		c.prog.Encapsulated[i] = noSpace
	}
	// dhcp has a slot for each code and server one for each parameter; only other
	// spaces are described.
	for _, s := range c.tree.Universe.Spaces {
		if s.Name == config.SpaceDHCP || s.Name == config.SpaceServer {
			continue
		}
		c.spaces[s] = int32(len(c.prog.Spaces))
		c.prog.Spaces = append(c.prog.Spaces, plan.Space{
			Name: s.Name, CodeWidth: uint8(max(1, s.CodeWidth)), LenWidth: uint8(s.LenWidth),
			Kind: spaceKind(s.Name), Parent: -2, Slot: -1, SiteMin: siteMin(s),
		})
	}
	for s, at := range c.spaces {
		if s.Enclosing != nil && s.Enclosing.Space != s {
			c.enclose(s.Enclosing, at)
		}
	}
	for _, s := range c.tree.Universe.Spaces {
		if s.Name == config.SpaceDHCP {
			c.markOptions(s)
		}
	}
}

// spaceKind recognises the two built-in spaces whose encoding is not a run of
// code, length and value.
func spaceKind(name string) plan.SpaceKind {
	switch name {
	case config.SpaceFQDN:
		return plan.SpaceFQDN
	case "nwip":
		return plan.SpaceNWIP
	}
	return plan.SpaceTLV
}

// siteMin is the lowest site-local code of a space: 224 (RFC 3942), or less if
// the space has an option below that.
func siteMin(s *config.Space) int {
	least := 224
	for _, o := range s.Options {
		least = min(least, int(o.Code))
	}
	return least
}

// enclose notes the option that holds a space, for reading the space in requests
// and for writing it.
func (c *compiler) enclose(o *config.OptionDef, at int32) {
	s := &c.prog.Spaces[at]
	s.Code = o.Code
	if o.Space.Name == config.SpaceDHCP {
		s.Parent = -1
		return
	}
	if parent, ok := c.spaces[o.Space]; ok {
		s.Parent = parent
	}
}

// markOptions fills the tables by code for space dhcp.
func (c *compiler) markOptions(dhcp *config.Space) {
	for _, o := range dhcp.Options { // a later definition of a code is the one in force
		if o.Code > 255 {
			continue
		}
		mark(&c.prog.Text, o.Code, textAt(o.Format) >= 0)
		mark(&c.prog.Names, o.Code, len(o.Format.Fields) == 1 && o.Format.Fields[0].Kind == config.FieldDomainList && o.Format.Fields[0].Compressed)
		c.prog.Encapsulated[o.Code] = noSpace
		mark(&c.prog.Prefixed, o.Code, false)
		if at, ok := c.spaces[o.Encapsulate]; ok && o.Encapsulate != nil {
			c.prog.Encapsulated[o.Code] = at
			c.enclose(o, at)
			mark(&c.prog.Prefixed, o.Code, headed(o.Format))
		}
	}
	for code, at := range c.prog.Encapsulated {
		mark(&c.prog.Enclosing, uint32(code), at >= 0 || code == vendorOptions)
	}
}

// mark puts a code into a set, or takes it out.
func mark(set *[4]uint64, code uint32, on bool) {
	set[code>>6] &^= 1 << (code & 63)
	if on {
		set[code>>6] |= 1 << (code & 63)
	}
}

// headed tells whether an encapsulating option has fields of its own before
// the encapsulated ones.
func headed(f config.Format) bool {
	return len(f.Fields) > 1 && f.Fields[0].Kind != config.FieldEncapsulate
}

// widths of the fixed-size fields in bytes; 0 for the others.
var widths = [...]int{
	config.FieldBoolean: 1, config.FieldInt8: 1, config.FieldInt16: 2, config.FieldInt32: 4,
	config.FieldUint8: 1, config.FieldUint16: 2, config.FieldUint32: 4, config.FieldIP: 4,
	config.FieldIP6: 16, config.FieldFlag: 1, config.FieldEnum: 1, config.FieldEncapsulate: 0,
}

// textAt returns how many bytes stand before the text that ends an option's
// format; -1 if it has no text or something of open length comes first.
func textAt(f config.Format) int {
	at := 0
	for _, field := range f.Fields {
		switch {
		case field.Kind == config.FieldText:
			return at
		case field.Array || int(field.Kind) >= len(widths) || widths[field.Kind] == 0:
			return -1
		}
		at += widths[field.Kind]
	}
	return -1
}

// slot returns where the values of an option are kept; ok is false if nothing
// here looks at it.
func (c *compiler) slot(o *config.OptionDef) (at int32, ok bool) {
	switch o.Space.Name {
	case config.SpaceDHCP:
		return int32(o.Code), o.Code > 0 && o.Code < 255
	case config.SpaceServer:
		p, known := parameters[o.Name]
		return plan.SlotOf(p), known
	}
	space, known := c.spaces[o.Space]
	if !known {
		return 0, false
	}
	key := slotKey{o.Space, o.Code}
	if at, ok = c.slots[key]; ok {
		return at, true
	}
	at = int32(plan.SlotSub + len(c.prog.SubOptions))
	c.prog.SubOptions = append(c.prog.SubOptions, plan.SubOption{Space: space, Code: o.Code, Empty: isFlag(o.Format)})
	c.prog.Spaces[space].Slots = append(c.prog.Spaces[space].Slots, at)
	c.slots[key] = at
	return at, true
}

// isFlag tells whether an option has no data, so that it is sent empty.
func isFlag(f config.Format) bool {
	return len(f.Fields) == 0 || len(f.Fields) == 1 && f.Fields[0].Kind == config.FieldFlag
}

// finishSpaces links the spaces to each other and sorts their options, once all
// slots are known.
func (c *compiler) finishSpaces() {
	for s, at := range c.spaces {
		x := &c.prog.Spaces[at]
		sort.SliceStable(x.Slots, func(i, j int) bool { return c.bucket(x.Slots[i]) < c.bucket(x.Slots[j]) })
		if s.Enclosing == nil || x.Parent == -2 {
			continue
		}
		if x.Parent >= 0 {
			if slot, ok := c.slots[slotKey{s.Enclosing.Space, s.Enclosing.Code}]; ok {
				x.Slot = slot
			}
		}
	}
	// Children in the order of the spaces, which is the order of their definition:
	// the map above has none.
	for at := range c.prog.Spaces {
		if p := c.prog.Spaces[at].Parent; p >= 0 {
			c.prog.Spaces[p].Children = append(c.prog.Spaces[p].Children, int32(at))
		}
	}
}

// bucket is where dhcpd's hash would keep the option of a slot.
func (c *compiler) bucket(slot int32) uint32 {
	return plan.Bucket(c.prog.SubOptions[slot-int32(plan.SlotSub)].Code)
}
