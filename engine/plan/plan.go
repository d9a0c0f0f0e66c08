// Package plan is a configuration in the form that a frame meets: networks,
// subnets, pools, hosts and classes in flat arrays, and the statements and
// expressions of dhcpd.conf(5) as an immutable program. Package compile makes a
// Plan from a parsed configuration; Eval runs it for one message. Nothing here
// allocates per message.
package plan

import (
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// Plan is an immutable compiled configuration. Indexes into its slices are
// what the core keeps; -1 means none.
type Plan struct {
	Networks []Network
	Subnets  []Subnet
	Pools    []Pool
	Ranges   []Range // sorted by First, never overlapping
	Hosts    []Host
	Classes  []Class

	// Origins are the places in the configuration that Eval.OriginOf and
	// Event.Rule refer to.
	Origins []Origin

	// Program is what Eval runs; package compile fills it.
	Program Program
	Guard   Guard // protection of the server itself
}

// Origin is a place in the configuration and the text of its line.
type Origin struct {
	File      string
	Line, Col int
	Text      string // the statement as written, one line, comments and indentation removed
}

// Network is a shared network: one link, with its subnets. A subnet declared
// alone is a network of its own.
type Network struct {
	Name  string
	Pools []int32 // in the order of declaration
}

// Subnet is one subnet declaration.
type Subnet struct {
	Net, Mask     proto.Addr
	Network       int32
	Authoritative bool
	Interface     string // "interface" statement, dhcpd.conf(5); empty if not given
	Scope         int32  // of Program.Scopes
	Origin        int32
}

// Contains tells whether a is an address of the subnet.
func (s *Subnet) Contains(a proto.Addr) bool { return a&s.Mask == s.Net }

// Guard is what protects the server from its network. It holds for the whole
// server, since it is applied before anything is known of a client.
type Guard struct {
	KnownFirst bool         // known-clients-first
	Messages   int64        // DHCP messages a second from one hardware address, 0: no limit (dhcp-rate-limit)
	Requests   int64        // TFTP requests a second from one address, 0: no limit (tftp-rate-limit)
	Servers    []proto.Addr // DHCP servers that are meant to be there (permitted-servers)
}

// RateBurst is how many seconds of a rate limit may come at once.
const RateBurst = 8

// Pool is one pool declaration, or the ranges that stand directly in a subnet
// or shared network.
type Pool struct {
	Network     int32
	Size        int64    // addresses in its ranges
	PingCheck   bool     // static reading of ping-check in the pool's scopes: off only if it is certainly off
	PingTimeout int64    // nanoseconds (ping-timeout, ping-timeout-ms; default 1 s)
	AbandonTime int64    // seconds that an address in conflict stays out of service (abandon-lease-time; default a day)
	Scope       int32    // of Program.Scopes
	Allow, Deny []Permit // an empty Allow admits everybody who is not denied
	Origin      int32
}

// Range is one contiguous range of pool addresses, both ends included.
type Range struct {
	First, Last proto.Addr
	Pool        int32
	Subnet      int32
	BOOTP       bool // for BOOTP clients too: dynamic-bootp, or in a pool declaration
	Origin      int32
}

// Host is one host declaration.
type Host struct {
	Name   string
	Fixed  []proto.Addr
	Scope  int32 // of Program.Scopes
	Origin int32
}

// Class is one class declaration, or a subclass with statements of its own.
type Class struct {
	Name       string
	LeaseLimit int32 // lease limit, 0 if none
	Spawning   bool  // spawn with: instances are made by match value
	Super      int32 // the class of a subclass, -1 for a class
	Scope      int32 // of Program.Scopes
	Origin     int32
}

// Link is an interface as the core knows it.
type Link struct {
	Name  string
	MAC   proto.MAC
	Addrs []LinkAddr // primary first; empty while the interface has none
	MTU   int
}

// LinkAddr is one address of a Link.
type LinkAddr struct {
	Addr, Mask proto.Addr
}

// Request is the message that an Eval decides about, with what the core knows
// of its sender. The views die with the frame.
type Request struct {
	Type    dhcp.Type
	Header  *dhcp.Header
	Options *dhcp.Options
	Payload []byte // the whole message: the packet() expression
	HW      dhcp.HW
	Link    *Link // interface it came in by
	Now     int64 // wall clock, seconds
}

// Param is a dhcpd.conf parameter (not an option) that statements may set.
type Param uint8

// The parameters that the core asks for. Integers are seconds unless noted;
// booleans are 0 or 1; Policy parameters are Allow, Deny or Ignore.
const (
	DefaultLeaseTime Param = iota
	MaxLeaseTime
	MinLeaseTime
	DynamicBOOTPLeaseLength
	BootUnknownClients // allow/deny/ignore unknown-clients, a policy
	AllowBOOTP         // a policy
	AllowBooting       // a policy
	OneLeasePerClient
	IgnoreClientUIDs
	AlwaysBroadcast
	AlwaysReplyRFC1048
	NextServer // 4 bytes, network order
	Filename   // text
	ServerName // text
	GetLeaseHostnames
	UseHostDeclNames
	StashAgentOptions
	Duplicates // a policy
	Declines   // a policy
	PingCheck
	EchoClientID
	CacheThreshold // percent, dhcp-cache-threshold
	MinSecs
	AdaptiveLeaseTimeThreshold // percent
	DynamicBOOTPLeaseCutoff    // seconds since 1970 (a W-date in the file)
	VendorOptionSpace          // name of the space that option 43 encapsulates
	SiteOptionSpace            // name of the space that holds the site-local codes
	BootHints                  // whether replies to booting nodes carry what shortens their boot
	RouterAdvertisement        // whether a booting node's search for an IPv6 router is ended
	RepeatAnswers              // whether an answer that nothing of a booting node follows is sent once more
	AnswerARP                  // whether a node that the kernel leaves without an ARP answer is sent one
	Params
)

// Policy is the value of an allow, deny or ignore statement.
type Policy uint8

// The policies, with dhcpd's values.
const (
	Deny   Policy = 0
	Allow  Policy = 1
	Ignore Policy = 2
)
