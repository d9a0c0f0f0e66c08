package compile_test

import (
	"errors"
	"os"
	"testing"

	"bootstorm/engine/config"
	"bootstorm/engine/plan"
	"bootstorm/engine/plan/compile"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// FuzzCompile: whatever the parser accepts compiles or is refused with a remedy,
// and a plan decides about a message without a panic.
func FuzzCompile(f *testing.F) {
	for _, name := range []string{"../testdata/guide.conf", "../testdata/everything.conf"} {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("shared-network n { subnet 10.0.0.0 netmask 255.0.0.0 { } pool { range 10.0.0.1 10.0.0.9; deny all clients; } }")
	f.Add("option space a; option a.b code 1 = encapsulate a; option c code 200 = encapsulate a; subnet 0.0.0.0 netmask 0.0.0.0 { option a.b = \"x\"; }")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 8000 {
			return
		}
		tree := config.ParseText("test.conf", []byte(text), config.Options{
			Resolve:  func(string) ([]proto.Addr, error) { return nil, errors.New("no names here") },
			ReadFile: func(string) ([]byte, error) { return nil, errors.New("no files here") },
		})
		if tree.HasErrors() {
			return
		}
		p, findings := compile.Compile(tree)
		for _, f := range findings {
			if f.Message == "" || f.Remedy == "" || f.Line < 1 {
				t.Fatalf("%+v", f)
			}
		}
		if p != nil {
			use(p)
		}
	})
}

// use decides about one message in every subnet, pool and host of a plan.
func use(p *plan.Plan) {
	payload := make([]byte, 300)
	copy(payload[236:], "\x63\x82\x53\x63\x35\x01\x01\x0c\x01x\x4d\x04iPXE\x52\x05\x01\x03abc\xff")
	var o dhcp.Options
	o.Parse(payload)
	h := dhcp.View(payload)
	req := plan.Request{Type: dhcp.Discover, Header: h, Options: &o, Payload: payload, Link: &plan.Link{}}
	p.Locate(&req)
	e := plan.NewEval(p)
	var w dhcp.Writer
	buf := make([]byte, 548)
	for subnet := int32(-1); subnet < int32(min(len(p.Subnets), 5)); subnet++ {
		for pool := int32(-1); pool < int32(min(len(p.Pools), 5)); pool++ {
			for host := int32(-1); host < int32(min(len(p.Hosts), 5)); host++ {
				e.Begin(&req, subnet)
				e.FindHost()
				e.Classify()
				if pool >= 0 {
					e.Permitted(pool)
				}
				e.Decide(pool, host, 5, 9)
				w.Reset(buf)
				e.WriteOptions(&w, dhcp.Offer)
			}
		}
	}
}
