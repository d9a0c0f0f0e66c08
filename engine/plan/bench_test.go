package plan_test

import (
	"testing"

	"bootstorm/engine/plan"
	"bootstorm/proto/dhcp"
)

// answer is what the core does for one DISCOVER, without its own tables.
func answer(e *plan.Eval, req *plan.Request, w *dhcp.Writer, buf []byte) bool {
	if !decideWith(e, req) {
		return false
	}
	e.Value(plan.Filename)
	e.Value(plan.NextServer)
	e.Value(plan.ServerName)
	e.Uint32(plan.DefaultLeaseTime)
	e.Uint32(plan.MaxLeaseTime)
	e.Policy(plan.BootUnknownClients, plan.Allow)
	e.Policy(plan.AllowBooting, plan.Allow)
	e.DefaultOption(dhcp.OptServerID, []byte{192, 168, 1, 1})
	e.SetOption(dhcp.OptLeaseTime, []byte{0, 0, 0x1c, 0x20})
	w.Reset(buf)
	e.WriteOptions(w, dhcp.Offer)
	return w.End() > 0
}

// iPXE is the DISCOVER of the guide's second stage: its request list has 22
// codes.
func iPXE() *message {
	return newMessage(dhcp.Discover,
		option{dhcp.OptClientArch, "\x00\x07"}, option{dhcp.OptUserClass, "iPXE"},
		option{dhcp.OptParameterList, "\x01\x03\x06\x07\x0c\x0f\x11\x1a\x2b\x3c\x42\x43\x77\x80\x81\x82\x83\x84\x85\x86\x87\xaf\xcb"},
		option{dhcp.OptClientID, "\x01\x02\x00\x00\x00\x0c\x01"}, option{dhcp.OptEncapsulatedIPXE, "\xb1\x05\x01\x80\x86\x10\x0e"})
}

// BenchmarkGuide is one decision with the guide's configuration, from Begin to
// the written options of the OFFER.
func BenchmarkGuide(b *testing.B) {
	e := plan.NewEval(guide(b))
	for _, c := range []struct {
		name string
		m    *message
	}{
		{"firmware", newMessage(dhcp.Discover, option{dhcp.OptClientArch, "\x00\x07"}, option{dhcp.OptParameterList,
			"\x01\x02\x03\x04\x05\x06\x0c\x0d\x0f\x11\x12\x16\x17\x1c\x28\x29\x2a\x2b\x32\x33\x36\x3a\x3b\x3c\x42\x43\x61\x80\x81\x82\x83\x84\x85\x86\x87"})},
		{"iPXE", iPXE()},
		{"no request list", newMessage(dhcp.Discover, option{dhcp.OptClientArch, "\x00\x07"})},
	} {
		b.Run(c.name, func(b *testing.B) {
			req := c.m.request()
			var w dhcp.Writer
			buf := make([]byte, 548)
			b.ReportAllocs()
			for b.Loop() {
				answer(e, req, &w, buf)
			}
		})
	}
}
