package plan_test

import (
	"testing"

	"bootstorm/engine/plan"
	"bootstorm/proto/dhcp"
)

// FuzzEval runs arbitrary messages through a configuration that uses every
// operation: no panic, bounded work, and a reply that parses.
func FuzzEval(f *testing.F) {
	for _, m := range everyMessage() {
		f.Add(m.payload)
	}
	f.Add(make([]byte, 240))
	e := plan.NewEval(everything(f))
	buf := make([]byte, 548)
	var o dhcp.Options
	f.Fuzz(func(t *testing.T, payload []byte) {
		h := dhcp.View(payload)
		if h == nil {
			return
		}
		hw, ok := h.HW()
		if !ok {
			return
		}
		o.Parse(payload)
		kind, _ := o.MessageType()
		link := linkAt(192, 168, 1, 1)
		req := plan.Request{Type: kind, Header: h, Options: &o, Payload: payload, HW: hw, Link: &link, Now: 1}
		var w dhcp.Writer
		if !answer(e, &req, &w, buf) {
			return
		}
		for code := range 255 {
			e.Option(byte(code))
			e.OriginOfOption(byte(code))
		}
		w.Reset(buf)
		e.WriteOptions(&w, dhcp.Ack)
		n := w.End()
		var back dhcp.Options
		if n > len(buf) || !back.Parse(buf[:n]) {
			t.Fatalf("a reply of %d bytes that does not parse: %x", n, buf[:n])
		}
	})
}

// TestLimits: each limit ends in null or no effect, and is counted.
func TestLimits(t *testing.T) {
	long := `option r = concat(packet(0, 240), packet(0, 240), packet(0, 240), packet(0, 240));`
	double := "set vtext = packet(0, 200); "
	for range 12 {
		double += "set vtext = concat(vtext, vtext); "
	}
	many := ""
	for range plan.MaxPieces + 1 {
		many += `append r "x"; `
	}
	logs := ""
	for range plan.MaxLogs + 1 {
		logs += `log("x"); `
	}
	for _, c := range []struct {
		name, statements, want string
	}{
		{"scratch", double + `option r = pick-first-value(vtext, "null");`, "null"},
		{"recursion", `define fun(one) { return concat(fun(one), "x"); } option r = pick-first-value(fun("x"), "null");`, "null"},
		{"steps", `define fun(one) { eval fun(one); eval fun(one); return one; } eval fun("x"); option r "still";`, ""},
		{"logs", logs + `option r "still";`, "still"},
		{"pieces", many, ""},
		{"none", long, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := decide(load(t, inSubnet(c.statements, "")), client())
			v, _ := e.Option(200)
			if c.want != "" && string(v) != c.want {
				t.Errorf("option is %q, want %q", v, c.want)
			}
			if (e.Exhausted != 0) != (c.name != "none") {
				t.Errorf("%d limits met", e.Exhausted)
			}
		})
	}
}

// TestManyClasses: a client belongs to at most MaxInstances classes.
func TestManyClasses(t *testing.T) {
	text := ""
	for i := range plan.MaxInstances + 3 {
		text += `class "c` + decimal(i) + `" { match if exists host-name; } `
	}
	e := decide(load(t, inSubnet("", text)), client())
	if !e.Member(plan.MaxInstances-1) || e.Member(plan.MaxInstances) || e.Exhausted != 3 {
		t.Errorf("exhausted %d", e.Exhausted)
	}
}

// TestGenerations: nothing of one message is seen by the next, even when the
// counter of messages begins anew.
func TestGenerations(t *testing.T) {
	e := plan.NewEval(load(t, inSubnet(`if exists root-path { option r "r"; set vtext = "x"; } if defined(vtext) { filename "v"; }`, "")))
	with, without := client(option{17, "x"}), client()
	for range 3 {
		decideWith(e, with.request())
		if _, ok := e.Option(200); !ok {
			t.Fatal("option is not set")
		}
		decideWith(e, without.request())
		if _, ok := e.Option(200); ok {
			t.Fatal("the option of another message is set")
		}
		if _, ok := e.Value(plan.Filename); ok {
			t.Fatal("the variable of another message is defined")
		}
	}
}
