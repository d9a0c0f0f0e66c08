package core

import (
	"bytes"
	"encoding/binary"

	"bootstorm/engine/plan"
	"bootstorm/proto/dhcp"
)

// Hints are the defaults of this server that a reply carries: what spares a
// booting node a wait or a question. See the table in doc.go.
type Hints uint8

// The hints.
const (
	HintNoProxy  Hints = 1 << iota // option 175.176: iPXE need not wait for a proxy
	HintBootSize                   // option 13: UEFI firmware need not ask for the size
)

// noProxyDHCP is iPXE's sub-option "no-pxedhcp": only the offers at hand count.
const noProxyDHCP = 176

// Option 13 is in units of 512 bytes (RFC 2132 section 3.15), 16 bits of them.
const (
	bootSizeUnit = 512
	bootSizeMost = 1<<16 - 1
)

// setHints adds the hints to an OFFER or ACK that names a boot file. One that
// names none leaves room for a proxy that does. boot-hints off leaves them all
// out, and what the configuration itself says in these options has precedence.
func (c *Core) setHints(v *verdict, h *dhcp.Header) {
	if v.do != offer && v.do != ack || !c.eval.Bool(plan.BootHints, true) {
		return
	}
	switch c.msg.software {
	case ClientIPXE:
		if c.namesFile() && c.eval.DefaultSubOption(dhcp.OptEncapsulatedIPXE, noProxyDHCP, []byte{1}) {
			v.hints |= HintNoProxy
		}
	case ClientUEFI:
		if c.setBootSize(h) {
			v.hints |= HintBootSize
		}
	}
}

// namesFile tells whether the reply names a boot file, in either place.
func (c *Core) namesFile() bool {
	if name, _ := c.eval.Value(plan.Filename); len(name) > 0 {
		return true
	}
	_, ok := c.eval.Option(dhcp.OptBootfileName)
	return ok
}

// setBootSize tells firmware that asks for it how large its boot file is, if
// that is one of ours. Too small a number would end its boot (PXE-E05), so where
// there is any doubt about the file there is no number. Rounding up does no harm:
// edk2 takes it for the size of its buffer, and the length of the file from the
// transfer. A file that is replaced by a larger one between the ACK and the request
// costs the node one attempt.
func (c *Core) setBootSize(h *dhcp.Header) bool {
	asked, _ := c.options.Get(dhcp.OptParameterList)
	if c.files == nil || !c.ours(h.SIAddr()) || bytes.IndexByte(asked, dhcp.OptBootSize) < 0 {
		return false
	}
	if _, set := c.eval.Option(dhcp.OptBootSize); set {
		return false
	}
	i, ok := c.files.Lookup(c.bootFile())
	if !ok || c.files.File(i).Template { // which is of another size for each node
		return false
	}
	units := (len(c.files.File(i).Data) + bootSizeUnit - 1) / bootSizeUnit
	if units == 0 || units > bootSizeMost {
		return false
	}
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], uint16(units))
	c.eval.DefaultOption(dhcp.OptBootSize, b[:])
	return true
}

// bootFile is the name of the file that UEFI firmware will ask for: that of
// option 67, else the header's. Two names that differ are no name.
func (c *Core) bootFile() []byte {
	file, _ := c.eval.Value(plan.Filename)
	name, ok := c.eval.Option(dhcp.OptBootfileName)
	switch {
	case !ok:
		return file
	case len(file) > 0 && !bytes.Equal(file, name):
		return nil
	}
	return name
}
