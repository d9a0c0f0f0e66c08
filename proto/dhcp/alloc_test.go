package dhcp

import (
	"testing"

	"bootstorm/proto"
)

// gate fails if f, run a thousand times, allocates at all. AllocsPerRun divides
// integers, so the loop is inside one run.
func gate(t *testing.T, name string, f func()) {
	t.Helper()
	f()
	if n := testing.AllocsPerRun(1, func() {
		for range 1000 {
			f()
		}
	}); n != 0 {
		t.Errorf("%s: %v allocations in 1000 messages, want 0", name, n)
	}
}

func TestNoAllocations(t *testing.T) {
	o := new(Options)
	var sum uint32
	for _, c := range optionCases {
		gate(t, "Parse: "+c.name, func() {
			o.Parse(c.msg)
			for code := range 256 {
				v, _ := o.Get(byte(code))
				n, _ := o.Uint32(byte(code))
				m, _ := o.Uint16(byte(code))
				k, _ := o.Byte(byte(code))
				sum += uint32(len(v)) + n + uint32(m) + uint32(k)
			}
			typ, _ := o.MessageType()
			sum += uint32(len(typ.String()))
		})
	}
	msg := message(255)
	gate(t, "View", func() {
		h := View(msg)
		hw, _ := h.HW()
		mac := hw.MAC()
		sum += h.XID() + uint32(h.CIAddr()) + uint32(mac[5])
	})
	buf, value := make([]byte, 1500), make([]byte, 300)
	var w Writer
	gate(t, "Writer", func() {
		h := w.Reset(buf)
		h.SetXID(7)
		h.SetYIAddr(proto.AddrOf(10, 0, 0, 1))
		w.Option(OptVendorSpecific, value)
		w.Raw(value[:9])
		sum += uint32(w.End())
	})
	if sum == 0 {
		t.Error("nothing was read")
	}
}
