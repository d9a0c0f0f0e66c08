package core

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// Marks: nodes that are to load another file than the configuration says, once.
// The cold side sets them (SetMarks) and looks which are used up (EachMark). While
// there are none, they cost one comparison per reply.

// Limits of marks.
const (
	MarksMost = 1024 // hardware addresses
	MarkName  = 64   // bytes of a file's name: what an event keeps of one
)

// Mark says what one hardware address is to load.
type Mark struct {
	HW     dhcp.HW
	Seq    uint32 // of the order; marks of one machine's several addresses share it
	Name   [MarkName]byte
	Len    uint8      // of Name
	Script bool       // it is for iPXE; the firmware gets its program as ever
	Done   bool       // the file has arrived
	Addr   proto.Addr // that the machine had when it was told the file, 0 before
}

// file is the name of the file to load.
func (m *Mark) file() []byte { return m.Name[:min(m.Len, MarkName)] }

// marks is a fixed table with an index by hardware address: open addressing, half
// full at most.
type marks struct {
	live  int // those that are not done; 0: nothing is looked up
	used  int
	list  [MarksMost]Mark
	index [2 * MarksMost]int16 // of list, plus 1; 0: empty
}

// place is where the search for a hardware address begins (FNV-1a).
func (t *marks) place(hw *dhcp.HW) int {
	h := uint32(2166136261)
	for _, b := range hw.Addr[:min(hw.Len, 16)] {
		h = (h ^ uint32(b)) * 16777619
	}
	return int(h) & (2*MarksMost - 1)
}

// find returns the mark of a hardware address, nil if it has none that is to be
// obeyed.
func (t *marks) find(hw *dhcp.HW) *Mark {
	if m := t.lookup(hw); m != nil && !m.Done {
		return m
	}
	return nil
}

// lookup returns the mark of a hardware address, used up or not, nil if it has
// none.
func (t *marks) lookup(hw *dhcp.HW) *Mark {
	for i := t.place(hw); t.index[i] != 0; i = (i + 1) & (2*MarksMost - 1) {
		if m := &t.list[t.index[i]-1]; m.HW.Len == hw.Len && m.HW.Addr == hw.Addr {
			return m
		}
	}
	return nil
}

// done uses up all marks of an order.
func (t *marks) done(seq uint32) {
	for i := range t.list[:t.used] {
		if m := &t.list[i]; m.Seq == seq && !m.Done {
			m.Done = true
			t.live--
		}
	}
}

// SetMarks replaces all marks. What was used up stays so, if its order is among
// them still, and so does what is known of a machine's address. Those beyond
// MarksMost, and a second one for a hardware address, are left out. It
// allocates nothing.
func (c *Core) SetMarks(list []Mark) {
	was := c.marks
	c.marks = c.spare
	t := c.marks
	*t = marks{}
	for i := range list {
		if t.used == MarksMost {
			break
		}
		t.add(&list[i], was)
	}
	c.spare = was
}

// add enters a mark, with what is known of it from before.
func (t *marks) add(m *Mark, was *marks) {
	if t.lookup(&m.HW) != nil {
		return
	}
	i := t.place(&m.HW)
	for t.index[i] != 0 {
		i = (i + 1) & (2*MarksMost - 1)
	}
	to := &t.list[t.used]
	*to = *m
	if o := was.lookup(&m.HW); o != nil && o.Seq == m.Seq {
		to.Done = to.Done || o.Done
		if to.Addr == 0 {
			to.Addr = o.Addr
		}
	}
	t.used++
	t.index[i] = int16(t.used)
	if !to.Done {
		t.live++
	}
}

// EachMark calls f with every mark. Cold; f may keep nothing of its argument.
func (c *Core) EachMark(f func(*Mark)) {
	for i := range c.marks.list[:c.marks.used] {
		f(&c.marks.list[i])
	}
}

// mark makes the reply name the file that the node is to load, if it is marked and
// this is the stage for it: a script is for iPXE, and a program for whoever asks
// first. One that is not there any more is left out.
func (c *Core) mark(v *verdict) {
	m := c.marks.find(&c.request.HW)
	if m == nil || !bootable(v, c.msg.software, &c.options) || m.Script && c.msg.software != ClientIPXE {
		return
	}
	if c.files == nil {
		return
	}
	if _, ok := c.files.Lookup(m.file()); !ok {
		return
	}
	v.marked = true
	c.eval.SetValue(plan.Filename, m.file())
	if _, ok := c.eval.Option(dhcp.OptBootfileName); ok {
		c.eval.SetOption(dhcp.OptBootfileName, m.file())
	}
	self := c.msg.self.Bytes() // another server does not have it
	c.eval.SetValue(plan.NextServer, self[:])
}

// bootable tells whether the verdict is a reply to a program that boots.
func bootable(v *verdict, who Client, o *dhcp.Options) bool {
	if v.do != offer && v.do != ack && v.do != reply && v.do != pxe {
		return false
	}
	switch who {
	case ClientIPXE, ClientPXE, ClientUEFI, ClientUBoot:
		return true
	case ClientHTTP:
		return false
	}
	return Arch(o) != noArch || v.do == reply
}

// told notes with which address a marked node loads its file: behind a relay,
// its transfers bear no hardware address of its own.
func (c *Core) told(v *verdict) {
	if m := c.marks.find(&c.request.HW); m != nil {
		m.Addr = v.addr
	}
}

// loaded uses up the mark of the node whose transfer has just ended, if it was of
// the marked file. e is the event of that.
func (c *Core) loaded(e *batch.Event) {
	if e.Kind != batch.EventTransferDone {
		return
	}
	hw := dhcp.HW{Type: ethernet, Len: e.HWLen, Addr: e.HW}
	m := c.marks.find(&hw)
	for i := range c.marks.list[:c.marks.used] {
		if o := &c.marks.list[i]; o.Addr == e.Addr && o.Addr != 0 && !o.Done {
			m = o
		}
	}
	if m == nil {
		return
	}
	var name [MarkName]byte
	copy(name[:], m.file())
	if name == e.Name {
		c.marks.done(m.Seq)
	}
}
