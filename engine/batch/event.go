package batch

import (
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// EventKind says what happened.
type EventKind uint8

// The kinds of event. Value and Extra are explained at each.
const (
	EventNone             EventKind = iota
	EventDiscover                   // Extra: client architecture (option 93), 0xffff if not sent; Value: core.Client, the software
	EventOffer                      // Addr offered
	EventRequest                    // Addr requested
	EventAck                        // Addr; Value: lease seconds; Name as for EventOffer
	EventNak                        // Addr refused; Reason
	EventRelease                    // Addr
	EventDecline                    // Addr
	EventInform                     // Addr
	EventBootp                      // Addr given; Name as for EventOffer
	EventSilence                    // a DHCP message deliberately left unanswered: Reason; Value: dhcp.Type; Extra: the server that it names (option 54), 0 if none
	EventConflict                   // Addr is used by the MAC in HW though it is not leased to it or declared for it, or is the server's own (ReasonServerAddress)
	EventAbandoned                  // Addr taken out of service; Reason
	EventReclaimed                  // Addr, abandoned before, put back in service because nothing else was free
	EventLog                        // a log statement of the configuration was executed: Value: index of its text in Events.Text, Extra: length, Nanos: priority (log(3) of dhcp-eval)
	EventTransferStart              // TFTP read granted. Name; Value: size in bytes; Extra: blksize<<16 | windowsize
	EventTransferDone               // last ACK received. Name; Value: bytes; Extra: retransmitted frames; Nanos: duration
	EventTransferProbe              // size probe ended by the client with ERROR 8 after the OACK (normal)
	EventTransferError              // ended by the client's ERROR (Extra: code), by ICMP (Extra: 256) or by time (Extra: 257). Value: bytes acknowledged
	EventNotFound                   // ERROR 1 sent. Name
	EventRefused                    // another ERROR sent: Extra: code. Name
	EventFull                       // a table is full and a request was left unanswered: Reason
	EventTransferProgress           // another sixteenth of a large file has arrived. Name; Value: bytes acknowledged; Extra: retransmitted frames; Nanos: since it was asked for
	EventExcess                     // HW (DHCP), or Addr (TFTP), sends more than its rate limit and the excess is dropped; told once until it has been quiet. Value: messages a second that are granted; Extra: the server's port
	EventRogue                      // another DHCP server answers on the segment: HW its Ethernet address, Addr its server identifier; Value: dhcp.Type of the reply; Extra: the address that it gives, XID the client's. At most once a minute for each
	EventRival                      // the client HW was answered by that server: Addr its server identifier, Extra the address that it gives; Value: dhcp.Type
	EventDoubtful                   // more conflicts are reported in the pool of Addr than can be true: the addresses stay in service. Told once until it has been quiet. HW: who said so last; Value: conflicts believed at once
	EventKinds                      // how many kinds there are
)

// Reason explains an event in the words of a later message; the texts belong
// to the observer.
type Reason uint8

// The reasons.
const (
	ReasonNone              Reason = iota
	ReasonNoSubnet                 // no subnet declared for the interface or relay
	ReasonNoFreeAddress            // pool exhausted
	ReasonNotPermitted             // pools exist, none permits this client
	ReasonDenied                   // booting, unknown-clients or bootp denied by the configuration
	ReasonIgnored                  // ignored by the configuration
	ReasonOtherServer              // the client chose another server
	ReasonNotOurAddress            // the address is not on this network
	ReasonUnknownLease             // nothing known about the lease and not authoritative
	ReasonTaken                    // the address is leased to somebody else
	ReasonLeaseLimit               // lease limit of a class reached
	ReasonDuplicateAddress         // the address answered by somebody else
	ReasonDeclinedByClient         // DHCPDECLINE
	ReasonMalformed                // options unreadable, or a required one missing
	ReasonTransfersFull            // TFTP transfer table full
	ReasonHoldFull                 // acknowledgements waiting for the disk fill their buffer
	ReasonNoJournal                // lease records wait for the disk
	ReasonDuplicatesAllowed        // hwaddr held two leases (deny duplicates)
	ReasonServerAddress            // the server's own address is used by somebody else
	ReasonNotFilled                // the file is filled in for each node, and for this one it is not yet, or cannot be
	Reasons
)

// Event is one fixed-size observation of the core.
type Event struct {
	At     int64 // Time.Mono
	Kind   EventKind
	Reason Reason
	Link   uint8
	HWLen  uint8
	HW     [16]byte
	Addr   proto.Addr
	XID    uint32
	Extra  uint32
	Value  int64
	Nanos  int64
	Rule   int32    // what decided: an index for plan.Plan.Origin, -1 if none
	Name   [64]byte // file name, cut, zero padded
}

// SetHW copies a client hardware address into the event.
func (e *Event) SetHW(hw *dhcp.HW) { e.HWLen, e.HW = hw.Len, hw.Addr }

// EventCap is how many events an Events holds.
const EventCap = 1024

// Events collects events until the driver takes them. When it is full further
// events are counted in Lost and dropped: observation never stops service.
type Events struct {
	N    int
	Lost uint64
	List [EventCap]Event
	Text [8192]byte // texts of EventLog
	Used int
	last int // what Add returned last
}

// Last returns the event that Add returned last, also if the batch was full.
func (e *Events) Last() *Event { return &e.List[e.last] }

// Add returns the next event to fill in; when the batch is full, a spare that
// is overwritten.
func (e *Events) Add(kind EventKind, at int64) *Event {
	i := e.N
	if i == EventCap-1 {
		e.Lost++
	} else {
		e.N++
	}
	e.last = i
	v := &e.List[i]
	*v = Event{Kind: kind, At: at, Rule: -1}
	return v
}

// Reset empties the batch; Lost is kept, it only grows.
func (e *Events) Reset() { e.N, e.Used = 0, 0 }
