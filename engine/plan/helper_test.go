package plan_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"bootstorm/engine/config"
	"bootstorm/engine/plan"
	"bootstorm/engine/plan/compile"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// load compiles a configuration; findings of severity error fail the test.
func load(t testing.TB, text string) *plan.Plan {
	t.Helper()
	p, findings := tryLoad(text)
	if p == nil {
		t.Fatalf("%s\n%s", text, findings)
	}
	return p
}

// tryLoad compiles a configuration and returns all findings as text.
func tryLoad(text string) (*plan.Plan, string) {
	tree := config.ParseText("test.conf", []byte(text), config.Options{
		Resolve:  func(string) ([]proto.Addr, error) { return nil, errors.New("no names here") },
		ReadFile: func(string) ([]byte, error) { return nil, errors.New("no files here") },
	})
	p, more := compile.Compile(tree)
	var out strings.Builder
	for _, f := range append(tree.Findings, more...) {
		out.WriteString(tree.Render(f))
	}
	return p, out.String()
}

// message is a client's message under construction.
type message struct {
	payload []byte
	link    plan.Link
	options dhcp.Options
	req     plan.Request
}

// option is one option of a message.
type option struct {
	code  byte
	value string
}

var nodeMAC = proto.MAC{2, 0, 0, 0, 0x0c, 1}

// newMessage builds a request of a client on a link with the guide's address.
func newMessage(kind dhcp.Type, options ...option) *message {
	m := &message{link: plan.Link{Name: "eth0", Addrs: []plan.LinkAddr{{Addr: proto.AddrOf(192, 168, 1, 1), Mask: 0xfffffff0}}}}
	m.payload = make([]byte, dhcp.OptionsOff, 1500)
	m.payload[0], m.payload[1], m.payload[2] = dhcp.BootRequest, 1, 6
	copy(m.payload[28:], nodeMAC[:])
	binary.BigEndian.PutUint32(m.payload[dhcp.CookieOff:], dhcp.Cookie)
	if kind != dhcp.BOOTP {
		m.payload = append(m.payload, dhcp.OptMessageType, 1, byte(kind))
	}
	for _, o := range options {
		m.payload = append(append(m.payload, o.code, byte(len(o.value))), o.value...)
	}
	m.payload = append(m.payload, dhcp.OptEnd)
	return m
}

// request returns the message as the core would hand it to an Eval.
func (m *message) request() *plan.Request {
	m.options.Parse(m.payload)
	h := dhcp.View(m.payload)
	hw, _ := h.HW()
	kind, _ := m.options.MessageType()
	m.req = plan.Request{Type: kind, Header: h, Options: &m.options, Payload: m.payload, HW: hw, Link: &m.link, Now: 1_800_000_000}
	return &m.req
}

// decide runs a message through an Eval as the core does, for the first pool of
// the network that admits it, or its fixed address. It returns nil if no subnet
// is declared for it.
func decide(p *plan.Plan, m *message) *plan.Eval {
	e := plan.NewEval(p)
	if !decideWith(e, m.request()) {
		return nil
	}
	return e
}

func decideWith(e *plan.Eval, req *plan.Request) bool {
	p := e.Plan()
	subnet, ok := p.Locate(req)
	if !ok {
		return false
	}
	e.Begin(req, subnet)
	host, fixed, _ := e.FindHost()
	e.Classify()
	pool, addr := int32(-1), fixed
	if fixed == 0 {
		for _, at := range p.Networks[p.Subnets[subnet].Network].Pools {
			if ok, _ := e.Permitted(at); ok {
				pool, addr = at, firstOf(p, at)
				break
			}
		}
	}
	e.Decide(pool, host, addr, 0)
	return true
}

func firstOf(p *plan.Plan, pool int32) proto.Addr {
	for i := range p.Ranges {
		if p.Ranges[i].Pool == pool {
			return p.Ranges[i].First
		}
	}
	return 0
}

// reply writes the options of a reply and returns them, code by code, in the
// order of sending.
func reply(e *plan.Eval, kind dhcp.Type, size int) (list []option) {
	var w dhcp.Writer
	buf := make([]byte, size)
	w.Reset(buf)
	e.WriteOptions(&w, kind)
	return parse(buf[dhcp.OptionsOff:w.End()])
}

// parse reads options one by one, in order.
func parse(b []byte) (list []option) {
	for len(b) > 1 && b[0] != dhcp.OptEnd {
		if b[0] == dhcp.OptPad {
			b = b[1:]
			continue
		}
		n := int(b[1])
		list = append(list, option{b[0], string(b[2 : 2+n])})
		b = b[2+n:]
	}
	return list
}

func codesOf(list []option) string {
	var out []string
	for _, o := range list {
		out = append(out, decimal(int(o.code)))
	}
	return strings.Join(out, ",")
}

func decimal(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return decimal(n/10) + string(rune('0'+n%10))
}

func valueOf(list []option, code byte) string {
	for _, o := range list {
		if o.code == code {
			return o.value
		}
	}
	return "(absent)"
}
