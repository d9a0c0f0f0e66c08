package pcap

import (
	"reflect"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, k := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"a", "a", true}, {"a", "b", false}, {"*", "", true}, {"*", "anything", true}, {"uefi-*", "uefi-x64", true},
		{"uefi-*", "bios", false}, {"*-guide", "uefi-x64-guide", true}, {"*-guide", "uefi-guide-2", false}, {"a*b*c", "a--b--c", true},
		{"a*b*c", "a--c--b", false}, {"a*a", "a", false}, {"*x*", "axb", true}, {"*x*", "ab", false}, {"a**b", "ab", true},
		{"option 5*", "option 58 dhcp-renewal-time", true},
	} {
		if got := match(k.pattern, k.text); got != k.want {
			t.Errorf("%q on %q: %v", k.pattern, k.text, got)
		}
	}
}

const list = `# captures | messages | request | field | ours | theirs
uefi-*, bios-* | OFFER, BOOTREPLY | * | yiaddr | 192.168.1.2 | 192.168.1.3
    One machine has
    one address.

* | OACK | RRQ * | windowsize | * | -
	Granted.
`

func TestList(t *testing.T) {
	l, err := ParseList("differences.txt", list)
	if err != nil {
		t.Fatal(err)
	}
	want := List{
		{Line: 2, Captures: []string{"uefi-*", "bios-*"}, Messages: []string{"OFFER", "BOOTREPLY"}, Request: "*", Field: "yiaddr", Ours: "192.168.1.2", Theirs: "192.168.1.3", Reason: "One machine has one address."},
		{Line: 6, Captures: []string{"*"}, Messages: []string{"OACK"}, Request: "RRQ *", Field: "windowsize", Ours: "*", Theirs: "-", Reason: "Granted."},
	}
	if !reflect.DeepEqual(l, want) {
		t.Fatalf("parsed as %+v %+v", l[0], l[1])
	}
	differences := []Difference{
		{Capture: "uefi-x64.pcap", Message: "OFFER", Request: "DISCOVER", Field: "yiaddr", Ours: "192.168.1.2", Theirs: "192.168.1.3"},
		{Capture: "bios-guide.pcapng", Message: "OFFER", Request: "DISCOVER", Field: "yiaddr", Ours: "192.168.1.2", Theirs: "192.168.1.3"},
		{Capture: "linux.pcap", Message: "OFFER", Request: "DISCOVER", Field: "yiaddr", Ours: "192.168.1.2", Theirs: "192.168.1.3"},
		{Capture: "uefi-x64.pcap", Message: "ACK", Request: "REQUEST", Field: "yiaddr", Ours: "192.168.1.2", Theirs: "192.168.1.3"},
		{Capture: "uefi-x64.pcap", Message: "OFFER", Request: "DISCOVER", Field: "file", Ours: "192.168.1.2", Theirs: "192.168.1.3"},
		{Capture: "uefi-x64.pcap", Message: "OFFER", Request: "DISCOVER", Field: "yiaddr", Ours: "192.168.1.3", Theirs: "192.168.1.2"},
		{Capture: "x", Message: "OACK", Request: "WRQ a octet", Field: "windowsize", Ours: "4", Theirs: "-"},
	}
	if open := l.Review(differences); open != 5 {
		t.Errorf("%d differences are open, want 5", open)
	}
	for i, d := range differences {
		if (d.Reason != "") != (i < 2) {
			t.Errorf("difference %d has the reason %q", i, d.Reason)
		}
	}
	if u := l.Unused(); len(u) != 1 || u[0].Line != 6 || l[0].Used != 2 {
		t.Errorf("unused entries: %+v", u)
	}
	if open := (List)(nil).Review(differences[:1]); open != 1 {
		t.Error("a list that is not there explains a difference")
	}
}

func TestParseListRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"a | b | c\n    why\n": "x:1: 3 columns",
		"    why\n":            "x:1: a reason without an entry",
		"a|b|c|d|e|f\n":        "x:1: an entry needs a reason",
		"a|b|c|d|e|f\n  why\na|b|c|d|e|f\n# no reason\n": "x:3: an entry needs a reason",
	} {
		if _, err := ParseList("x", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %q", text, err, want)
		}
	}
}

func TestSummarize(t *testing.T) {
	same := Difference{Message: "OFFER", Field: "secs", Ours: "1", Theirs: "2", Reason: "why"}
	later := same
	later.Record = 9
	later.Ours = "3"
	open := Difference{Message: "ACK", Field: "file", Ours: "a", Theirs: "b"}
	other := open
	other.Ours = "c"
	got := Summarize([]Difference{same, open, later, other, open, open})
	want := []Group{{open, 3, false, false}, {other, 1, false, false}, {same, 2, true, false}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
