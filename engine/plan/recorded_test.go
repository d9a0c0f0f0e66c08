package plan_test

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"bootstorm/engine/plan"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// recording is one question that dhcpd 4.4.3 was asked: a configuration made at
// random, the DISCOVER, and the options of the OFFER.
type recording struct {
	Conf    string `json:"conf"`
	Request string `json:"request"` // hexadecimal, from the fixed header on
	Options string `json:"options"` // likewise, without cookie, END and padding
}

// recordings reads testdata/recorded.jsonl, one recording per line. The first 30
// hold expressions of all kinds, 22 options with two to four operations each,
// classes and appended values; the others hold structure: scopes, classes,
// pools and hosts in all places, option spaces inside each other, vendor and
// site spaces, request lists.
func recordings(t *testing.T) (list []recording) {
	t.Helper()
	f, err := os.Open("testdata/recorded.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r recording
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	if lines.Err() != nil || len(list) == 0 {
		t.Fatal(len(list), lines.Err())
	}
	return list
}

// TestRecordings: every option of every reply, in the same order.
func TestRecordings(t *testing.T) {
	options := 0
	for i, r := range recordings(t) {
		m := newMessage(dhcp.Discover)
		m.payload = decoded(t, r.Request)
		m.link = plan.Link{Name: "v0", Addrs: []plan.LinkAddr{{Addr: proto.AddrOf(192, 168, 1, 1), Mask: 0xffffff00}}}
		e := decide(load(t, r.Conf), m)
		e.DefaultOption(dhcp.OptServerID, []byte{192, 168, 1, 1})
		e.SetOption(dhcp.OptLeaseTime, []byte{0, 0, 2, 0x58})
		if agent, ok := m.options.Get(dhcp.OptRelayAgent); ok {
			e.SetOption(dhcp.OptRelayAgent, agent)
		}
		got, want := reply(e, dhcp.Offer, 1472), parse(decoded(t, r.Options))
		if codesOf(got) != codesOf(want) {
			t.Fatalf("recording %d sends %s, dhcpd %s\n%s", i+1, codesOf(got), codesOf(want), r.Conf)
		}
		for k := range want {
			if got[k] != want[k] {
				t.Errorf("recording %d: option %d is %q, dhcpd sends %q\n%s", i+1, want[k].code, got[k].value, want[k].value, r.Conf)
			}
		}
		options += len(want)
	}
	if options < 1000 {
		t.Errorf("only %d options were compared", options)
	}
}

func decoded(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
