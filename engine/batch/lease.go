package batch

import (
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// LeaseState is the binding state of an address, as dhcpd.leases(5) names it.
type LeaseState uint8

// The binding states.
const (
	LeaseFree LeaseState = iota
	LeaseActive
	LeaseExpired
	LeaseReleased
	LeaseAbandoned
	LeaseReset
	LeaseBackup
	LeaseReserved
	LeaseBootp
	LeaseStates
)

// Limits of the variable parts of a lease record. Longer values are cut; the
// client identifier is then compared by what is kept and its full length.
const (
	MaxClientID = 64
	MaxHostname = 64
	MaxVendor   = 32
)

// Lease is one record of the lease journal: the state that an address has from
// now on. It holds no pointers. Times are wall-clock seconds since 1970; an
// Ends of Forever means that the lease never ends.
type Lease struct {
	Seq          uint64 // position in the journal, from 1; given by the core, strictly increasing by 1
	Addr         proto.Addr
	State        LeaseState
	HW           dhcp.HW
	Starts, Ends int64
	CLTT         int64  // client's last transaction time
	Billing      uint64 // class instance that the lease counts against (lease limit): plan.InstanceKey, 0 if none
	ClientIDLen  uint8
	HostnameLen  uint8
	VendorLen    uint8
	ClientID     [MaxClientID]byte // option 61, if leases are kept by it
	Hostname     [MaxHostname]byte // option 12, for the reader of the file
	Vendor       [MaxVendor]byte   // option 60, likewise
}

// Forever is the Ends of a lease without end ("ends never").
const Forever int64 = 1<<63 - 1

// LeaseCap is how many records a Leases holds.
const LeaseCap = 256

// Leases is a batch of lease records, in the order of Seq, that the core hands
// to the journal.
type Leases struct {
	N    int
	List [LeaseCap]Lease
}
