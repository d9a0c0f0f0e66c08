package pcap

import (
	"reflect"
	"testing"

	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// answer makes a reply of that transaction with fields.
func answer(xid uint32, typ dhcp.Type, secs uint16, yiaddr proto.Addr, fields ...Field) *reply {
	r := &reply{fields: fields, record: int(xid), mac: clientMAC, request: "DISCOVER"}
	r.xid, r.typ, r.secs, r.yiaddr = xid, typ, secs, yiaddr
	return r
}

func TestPair(t *testing.T) {
	o1, o2 := answer(1, dhcp.Offer, 4, client), answer(1, dhcp.Offer, 10, client)
	other := answer(2, dhcp.Offer, 4, client)
	ack := answer(1, dhcp.Ack, 4, client)
	nobody := answer(1, dhcp.Offer, 4, client)
	nobody.chaddr[0] = 9 // another machine with the same xid
	for _, k := range []struct {
		name   string
		theirs []*reply
		want   []*reply // ours for each
	}{
		{"in order", []*reply{answer(1, dhcp.Offer, 4, client), answer(1, dhcp.Offer, 10, client)}, []*reply{o1, o2}},
		{"the one that answers the same request", []*reply{answer(1, dhcp.Offer, 10, client)}, []*reply{o2}},
		{"in order if none does", []*reply{answer(1, dhcp.Offer, 99, client), answer(1, dhcp.Offer, 98, client)}, []*reply{o1, o2}},
		{"another transaction", []*reply{answer(2, dhcp.Offer, 4, client)}, []*reply{other}},
		{"another type", []*reply{answer(1, dhcp.Ack, 0, client)}, []*reply{ack}},
		{"another machine", []*reply{nobody}, []*reply{nil}},
		{"more than ours", []*reply{answer(2, dhcp.Offer, 4, client), answer(2, dhcp.Offer, 4, client)}, []*reply{other, nil}},
	} {
		t.Run(k.name, func(t *testing.T) {
			ours := []*reply{o1, o2, other, ack}
			for _, o := range ours {
				o.paired = false
			}
			with := pair(ours, k.theirs)
			for i, r := range k.theirs {
				if with[r] != k.want[i] {
					t.Errorf("answer %d is paired with %+v, want %+v", i, with[r], k.want[i])
				}
			}
		})
	}
}

func TestCompareDHCP(t *testing.T) {
	ours := []*reply{answer(1, dhcp.Offer, 0, client, Field{"file", "a"}), answer(3, dhcp.Nak, 0, 0), answer(4, dhcp.BOOTP, 0, client)}
	theirs := []*reply{answer(1, dhcp.Offer, 0, client, Field{"file", "b"}), answer(2, dhcp.Ack, 0, client)}
	want := []Difference{
		{Record: 2, Client: clientMAC.String(), Message: "OFFER", Request: "DISCOVER", Field: "file", Ours: "a", Theirs: "b"},
		{Record: 3, Client: clientMAC.String(), Message: "ACK", Request: "DISCOVER", Field: "missing", Ours: Absent, Theirs: "yiaddr 192.168.1.2"},
		{Record: 4, Client: clientMAC.String(), Message: "NAK", Request: "DISCOVER", Field: "extra", Ours: "yiaddr 0.0.0.0", Theirs: Absent},
		{Record: 5, Client: clientMAC.String(), Message: "BOOTREPLY", Request: "DISCOVER", Field: "extra", Ours: "yiaddr 192.168.1.2", Theirs: Absent},
	}
	if got := compareDHCP(ours, theirs); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestCompareFields(t *testing.T) {
	order := func(s string) Field { return Field{orderOfOptions, s} }
	for _, k := range []struct {
		name         string
		ours, theirs []Field
		want         string
	}{
		{"equal", []Field{{"a", "1"}, {"b", "2"}}, []Field{{"b", "2"}, {"a", "1"}}, ""},
		{"a value", []Field{{"a", "1"}}, []Field{{"a", "2"}}, " | a | 1 | 2\n"},
		{"only ours", []Field{{"a", "1"}}, nil, " | a | 1 | -\n"},
		{"only theirs", nil, []Field{{"a", "1"}}, " | a | - | 1\n"},
		{"twice in one", []Field{{"a", "1"}}, []Field{{"a", "1"}, {"a", "2"}}, " | a | 1 | 1 2\n"},
		{"order", []Field{order("53,54,1,3")}, []Field{order("53,54,3,1")}, " | order of options | 53,54,1,3 | 53,54,3,1\n"},
		{"order without what one side lacks", []Field{order("53,54,61,1,3")}, []Field{order("53,54,1,3,28")}, ""},
	} {
		if got := lines(Difference{}.fields(k.ours, k.theirs)); got != k.want {
			t.Errorf("%s: got %q, want %q", k.name, got, k.want)
		}
	}
}
