package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"bootstorm/proto"
	"bootstorm/proto/dhcp"
	"bootstorm/tools/guide"
)

// message is a DHCP message that crossed the wire.
type message struct {
	at   int64 // see pcap.Record.Time
	kind dhcp.Type
	ipxe bool // sent by iPXE, as its user class says (option 77)
}

// Milestones are the points of a boot, each as the time since the firmware's
// first DISCOVER, in nanoseconds.
type Milestones struct {
	Offer        time.Duration `json:"offer"`         // the first OFFER
	Request      time.Duration `json:"request"`       // the firmware's first REQUEST
	FirstByte    time.Duration `json:"first_byte"`    // the first block of ipxe.efi that is kept
	LastByte     time.Duration `json:"last_byte"`     // its last block
	IPXEDiscover time.Duration `json:"ipxe_discover"` // iPXE's first DISCOVER
	IPXERead     time.Duration `json:"ipxe_read"`     // iPXE's first read request
	Refind       time.Duration `json:"refind"`        // the last block of rEFInd
}

// Boot is what a capture of one boot shows.
type Boot struct {
	Variant string     `json:"variant"`
	Run     int        `json:"run"` // from 1
	Error   string     `json:"error,omitempty"`
	At      Milestones `json:"at"`
	DHCP    int        `json:"dhcp_frames"`
	TFTP    int        `json:"tftp_frames"`
	Reads   int        `json:"tftp_requests"` // of those, read requests; a repeated one counts again
}

// note keeps a DHCP message, of the node or of a server.
func (e *evidence) note(p *proto.Packet) {
	const userClass = 77
	h := dhcp.View(p.Payload)
	if p.DstPort != proto.PortBOOTPServer && p.DstPort != proto.PortBOOTPClient && p.DstPort != proto.PortPXE ||
		h == nil || !e.options.Parse(p.Payload) {
		return
	}
	if kind, ok := e.options.MessageType(); ok {
		class, _ := e.options.Get(userClass)
		e.messages = append(e.messages, message{e.now, kind, bytes.Contains(class, []byte("iPXE"))})
	}
}

// sent finds the first message of a kind, 0 if there is none.
func (e *evidence) sent(kind dhcp.Type, ipxe bool) int64 {
	for _, m := range e.messages {
		if m.kind == kind && m.ipxe == ipxe {
			return m.at
		}
	}
	return 0
}

// fetched finds the first transfer of a file that came to its end.
func (e *evidence) fetched(name string) *transfer {
	for _, t := range e.transfers {
		if t.name == name && t.complete {
			return t
		}
	}
	return new(transfer)
}

// milestones reads them. A boot that misses one is an error: its other times
// would be compared with those of whole boots.
func (e *evidence) milestones() (m Milestones, err error) {
	ipxe, script, refind := e.fetched(guide.Files[0]), e.fetched(guide.Files[1]), e.fetched(guide.Files[3])
	start := e.sent(dhcp.Discover, false)
	for _, point := range []struct {
		name string
		at   int64
		to   *time.Duration
	}{
		{"first OFFER", e.sent(dhcp.Offer, false), &m.Offer},
		{"firmware's REQUEST", e.sent(dhcp.Request, false), &m.Request},
		{"first block of " + guide.Files[0], ipxe.first, &m.FirstByte},
		{"last block of " + guide.Files[0], ipxe.last, &m.LastByte},
		{"iPXE's DISCOVER", e.sent(dhcp.Discover, true), &m.IPXEDiscover},
		{"request for " + guide.Files[1], script.asked, &m.IPXERead},
		{"last block of " + guide.Files[3], refind.last, &m.Refind},
	} {
		if start == 0 || point.at < start {
			return m, fmt.Errorf("the capture shows no DISCOVER of the firmware with a %s after it", point.name)
		}
		*point.to = time.Duration(point.at - start)
	}
	return m, nil
}

// measure fills in what the capture of a boot shows, and verifies every file
// of the TFTP root root. The acknowledgement of the last block is not asked for:
// iPXE may start a program before it sends it, and the program ends iPXE.
func (b *Boot) measure(e *evidence, root string) (err error) {
	b.DHCP, b.TFTP, b.Reads = len(e.messages), e.tftp, e.requests
	b.At, err = e.milestones()
	for _, name := range guide.Files {
		want, e1 := os.ReadFile(filepath.Join(root, name))
		if e1 == nil && !bytes.Equal(e.fetched(name).data, want) {
			e1 = fmt.Errorf("%s did not come whole, byte for byte", name)
		}
		err = errors.Join(err, e1)
	}
	return err
}
