package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The table stands between these lines of a document.
const (
	blockBegin = "<!-- Written by tools/boot --compare --readme: do not edit -->\n"
	blockEnd   = "<!-- end of the real machine's boots -->\n"
)

// split cuts a document into what is before, within and after the block.
func split(document []byte) (before, within, after []byte, ok bool) {
	before, rest, ok := bytes.Cut(document, []byte(blockBegin))
	if !ok {
		return nil, nil, nil, false
	}
	within, after, ok = bytes.Cut(rest, []byte(blockEnd))
	return before, within, after, ok
}

// withTable replaces the block's contents.
func withTable(document, table []byte) ([]byte, bool) {
	before, _, after, ok := split(document)
	if !ok {
		return nil, false
	}
	return slices.Concat(before, []byte(blockBegin), table, []byte(blockEnd), after), true
}

// columns are the table's: what it takes from a boot, in words.
var columns = []struct {
	title string
	time  func(*Milestones) time.Duration
}{
	{"first OFFER", func(m *Milestones) time.Duration { return m.Offer }},
	{"firmware's REQUEST", func(m *Milestones) time.Duration { return m.Request }},
	{"ipxe.efi, first byte", func(m *Milestones) time.Duration { return m.FirstByte }},
	{"its last byte", func(m *Milestones) time.Duration { return m.LastByte }},
	{"iPXE's DISCOVER", func(m *Milestones) time.Duration { return m.IPXEDiscover }},
	{"its first RRQ", func(m *Milestones) time.Duration { return m.IPXERead }},
	{"rEFInd's last byte", func(m *Milestones) time.Duration { return m.Refind }},
	{"DISCOVER to RRQ of iPXE", func(m *Milestones) time.Duration { return m.IPXERead - m.IPXEDiscover }},
}

// markdown is the table of the medians, a line for each variant that has a
// boot without a failure, and a sentence that says where it comes from.
func (c *Comparison) markdown() []byte {
	var b bytes.Buffer
	b.WriteString("| since the first DISCOVER |")
	for _, col := range columns {
		fmt.Fprintf(&b, " %s |", col.title)
	}
	b.WriteString(" frames of DHCP | of TFTP |\n|---|" + strings.Repeat("--:|", len(columns)+2) + "\n")
	for _, v := range variants {
		boots := c.of(v.name)
		if len(boots) == 0 {
			continue
		}
		fmt.Fprintf(&b, "| %s |", v.title)
		for _, col := range columns {
			fmt.Fprintf(&b, " %s |", shown(median(boots, func(b *Boot) time.Duration { return col.time(&b.At) })))
		}
		fmt.Fprintf(&b, " %d | %d |\n", median(boots, func(b *Boot) int { return b.DHCP }), median(boots, func(b *Boot) int { return b.TFTP }))
	}
	m := &c.Machine
	fmt.Fprintf(&b, "\n%s each, in turn, of one machine that QEMU %s emulates without KVM, on %s with %d cores, Linux %s, %s.\n"+
		"The guide's pair is dhcpd %s and tftpd-hpa %s.\n", c.counted(), m.Versions["qemu-system-x86_64"], m.Processor, m.Cores, m.Kernel, m.Day,
		m.Versions["dhcpd"], m.Versions["in.tftpd"])
	return b.Bytes()
}

// counted says how many boots the lines are made of.
func (c *Comparison) counted() string {
	least, most := len(c.Boots), 0
	for _, v := range variants {
		if n := len(c.of(v.name)); n > 0 {
			least, most = min(least, n), max(most, n)
		}
	}
	switch {
	case most == 1:
		return "One boot"
	case least < most:
		return fmt.Sprintf("Medians of %d or more boots", least)
	}
	return fmt.Sprintf("Medians of %d boots", most)
}

// of are the boots of a variant that did not fail.
func (c *Comparison) of(variant string) (boots []*Boot) {
	for i := range c.Boots {
		if b := &c.Boots[i]; b.Variant == variant && b.Error == "" {
			boots = append(boots, b)
		}
	}
	return boots
}

// median of an even number is the lower one of the two in the middle: a value
// that was measured.
func median[T int | time.Duration](boots []*Boot, value func(*Boot) T) T {
	var all []T
	for _, b := range boots {
		all = append(all, value(b))
	}
	slices.Sort(all)
	return all[(len(all)-1)/2]
}

// shown writes a time with the precision that means something here.
func shown(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
