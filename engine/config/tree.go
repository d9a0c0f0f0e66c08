// Package config reads dhcpd.conf(5): lexer, parser, tree, and findings with
// file, line, column and remedy. It is cold code: it may allocate as it likes.
// Package compile turns the tree into a plan.
package config

import "bootstorm/proto"

// Pos is a place in a configuration file, both from 1; columns count bytes, a
// tab is one.
type Pos struct {
	File      string
	Line, Col int
}

// Severity of a finding.
type Severity uint8

// Severities. An error keeps the configuration from being used.
const (
	Warning Severity = iota
	Error
)

// Finding is one thing to tell the operator about a configuration.
type Finding struct {
	Pos
	Severity Severity
	Width    int    // bytes to underline from Col, at least 1
	Message  string // what is wrong, and why
	Remedy   string // what to do; never empty for an error
}

// Tree is a parsed configuration.
type Tree struct {
	Root     *Scope
	Hosts    []*Scope // every host declaration, wherever it stands, in order
	Classes  []*Class // in order of first declaration
	Networks []*Scope // shared-networks, and subnets that stand in none, in order
	Universe *Universe
	Sources  []Source // every file read, for carets
	Findings []Finding
}

// Source is the text of one file.
type Source struct {
	Name string
	Text []byte
}

// ScopeKind says which declaration opened a scope.
type ScopeKind uint8

// The kinds of scope.
const (
	ScopeGlobal ScopeKind = iota
	ScopeSharedNetwork
	ScopeSubnet
	ScopePool
	ScopeGroup
	ScopeHost
	ScopeClass
	ScopeSubclass
)

// Scope is a declaration with a body. What applies to a client is the
// statements of its scopes from the outermost in. Parent is the scope around
// it, with one exception: a host that joins a group by "group NAME;" has that
// group as its parent, and stays among the children of the scope it stands in.
type Scope struct {
	Kind       ScopeKind
	Name       string // shared-network, group, host, class
	Pos        Pos
	Parent     *Scope
	Children   []*Scope    // declarations in order
	Statements []Statement // parameters, options and executable statements in order

	Authoritative *bool // authoritative / not authoritative in this very scope

	Subnet *Subnet // ScopeSubnet
	Pool   *Pool   // ScopePool, and subnets and shared-networks with ranges of their own
	Host   *Host   // ScopeHost
	Class  *Class  // ScopeClass and ScopeSubclass

	limit int32 // lease limit while a subclass is read
}

// Subnet is what a subnet declaration holds besides statements.
type Subnet struct {
	Net, Mask proto.Addr
	Interface string // "interface NAME;", of the subnet or its shared network
}

// Pool is what a pool declaration holds besides statements.
type Pool struct {
	Ranges []Range
	Permit []Permit // allow …
	Deny   []Permit // deny …
}

// Range is "range [dynamic-bootp] low [high];".
type Range struct {
	Pos       Pos
	Low, High proto.Addr
	BOOTP     bool
}

// PermitKind says whom an entry of a permit list names.
type PermitKind uint8

// The kinds of permit (dhcpd.conf(5), POOL-SPECIFIC DECLARATIONS).
const (
	PermitUnknown PermitKind = iota
	PermitKnown
	PermitAllClients
	PermitDynamicBOOTP
	PermitAuthenticated   // never true here
	PermitUnauthenticated // always true here
	PermitClass
	PermitAfter
)

// Permit is one entry of a permit list.
type Permit struct {
	Pos   Pos
	Kind  PermitKind
	Class string // PermitClass
	After int64  // PermitAfter: seconds since 1970
}

// Host is what a host declaration holds besides statements.
type Host struct {
	Hardware   []Hardware // several are our extension: one node, several links
	ClientID   []byte     // option dhcp-client-identifier; nil if none
	Identifier *OptionDef // host-identifier option
	IDValue    []byte
	Fixed      []proto.Addr // fixed-address, names resolved
	Deleted    bool         // "deleted;" or "dynamic;" bodies are refused elsewhere

	fixed bool // a fixed-address statement was read, perhaps of names without addresses
}

// Hardware is "hardware TYPE ADDRESS;".
type Hardware struct {
	Pos  Pos
	Type byte // 1 ethernet, 6 token-ring, 8 fddi (RFC 1700)
	Addr []byte
}

// Class is a class declaration with all its subclasses.
type Class struct {
	Name       string
	Pos        Pos
	Scope      *Scope
	MatchIf    *Expr // match if BOOLEAN
	Match      *Expr // match DATA; subclasses compare with its value
	Spawn      *Expr // spawn with DATA
	LeaseLimit int32 // 0 if none
	Subclasses []*Subclass

	byData     map[string]*Subclass
	matches    int // match if statements in the body being read
	submatches int // match and spawn with statements in it
}

// Subclass is "subclass CLASS DATA [{ … }];".
type Subclass struct {
	Pos   Pos
	Data  []byte // the match value
	Scope *Scope // nil if it has no body
	Class *Class
	Limit int32 // its own lease limit, 0 if none
}
