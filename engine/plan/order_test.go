package plan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"bootstorm/engine/plan"
	"bootstorm/proto/dhcp"
)

// reference is dhcpd's choice and order of options in plain steps, without bit
// sets: what is set, in the order of setting, and the request list, if any.
type reference struct {
	set []byte // in the order of first setting
	prl []byte
}

// hashed returns the options as dhcpd's hash of 17 buckets holds them: each new
// one at the head of its bucket.
func (r *reference) hashed() (out []byte) {
	var buckets [plan.Buckets][]byte
	for _, c := range r.set {
		b := plan.Bucket(uint32(c))
		buckets[b] = append([]byte{c}, buckets[b]...)
	}
	for _, b := range buckets {
		out = append(out, b...)
	}
	return out
}

// order builds the priority list, drops repetitions, exchanges mask and
// routers, and keeps what is set.
func (r *reference) order() (out []byte) {
	list := []byte{53, 54, 51, 58, 59, 56, 50, 92}
	if len(r.prl) > 0 {
		list = append(append(list, r.prl...), 1)
	} else {
		list = append(append(list, 1, 3, 6, 12, 81), r.hashed()...)
	}
	var once []byte
	for _, c := range list {
		if !slices.Contains(once, c) {
			once = append(once, c)
		}
	}
	mask, routers := slices.Index(once, 1), slices.Index(once, 3)
	if routers >= 0 && routers < mask {
		once[mask], once[routers] = 3, 1
	}
	for _, c := range once {
		if c == 53 || slices.Contains(r.set, c) {
			out = append(out, c)
		}
	}
	return out
}

// TestOrderAgainstReference: random options and request lists.
func TestOrderAgainstReference(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		var r reference
		var statements, outside strings.Builder
		for range random.IntN(25) {
			c := byte(100 + random.IntN(120))
			if c == dhcp.OptSubnetSelection || slices.Contains(r.set, c) || slices.Contains([]byte{124, 125, 175}, c) {
				continue
			}
			r.set = append(r.set, c)
			fmt.Fprintf(&outside, "option code%d code %d = string;\n", c, c)
			fmt.Fprintf(&statements, "option code%d = \"%d\";\n", c, c)
		}
		if random.IntN(2) == 0 {
			r.set = append(r.set, 3)
			statements.WriteString("option routers 192.168.1.1;\n")
		}
		r.set = append(r.set, 1) // the mask is set when the statements have been executed
		for range random.IntN(40) * random.IntN(2) {
			r.prl = append(r.prl, byte(1+random.IntN(220)))
		}
		r.prl = slices.DeleteFunc(r.prl, func(c byte) bool { return slices.Contains([]byte{53, 52, 82}, c) })
		text := outside.String() + "subnet 192.168.1.0 netmask 255.255.255.0 {\n" + statements.String() + "}\n"
		var list []option
		if len(r.prl) > 0 {
			list = append(list, option{dhcp.OptParameterList, string(r.prl)})
		}
		var got []byte
		for _, o := range reply(decide(load(t, text), newMessage(dhcp.Discover, list...)), dhcp.Offer, 1400) {
			got = append(got, o.code)
		}
		if want := r.order(); !slices.Equal(got, want) {
			t.Fatalf("request list %v\n%s\nsends %v\nwant  %v", r.prl, text, got, want)
		}
	}
}

// TestPadAndEnd: codes that are no options are never sent, whoever asks.
func TestPadAndEnd(t *testing.T) {
	e := decide(load(t, inSubnet("", "")), newMessage(dhcp.Discover, option{dhcp.OptParameterList, "\x00\xff\x35\x34\x01\x00"}))
	if got := codesOf(reply(e, dhcp.Offer, 548)); got != "53,1" {
		t.Errorf("sends %s", got)
	}
}

// TestEmptyRequestList: an empty list is no list.
func TestEmptyRequestList(t *testing.T) {
	e := decide(load(t, inSubnet("", "")), newMessage(dhcp.Discover, option{dhcp.OptParameterList, ""}))
	if got := codesOf(reply(e, dhcp.Offer, 548)); got != "53,1,15" {
		t.Errorf("sends %s", got)
	}
}

// TestSubnetSelectionEcho: option 118 that the core echoes precedes the list.
func TestSubnetSelectionEcho(t *testing.T) {
	e := decide(load(t, inSubnet("", "")), newMessage(dhcp.Discover, option{dhcp.OptParameterList, "\x0f"}, option{dhcp.OptSubnetSelection, "\xc0\xa8\x01\x00"}))
	e.SetOption(dhcp.OptSubnetSelection, []byte{192, 168, 1, 0})
	if got := codesOf(reply(e, dhcp.Offer, 548)); got != "53,118,15,1" {
		t.Errorf("sends %s", got)
	}
}
