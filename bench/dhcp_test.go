package bench

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// captured are the options of real clients, in their order, as code, length
// and value: edk2 2022.11, iPXE of Debian 12. NODE stands for the hardware address,
// UUID for the UUID, HERE for server and address.
var captured = []struct {
	name    string
	who     client
	kind    dhcp.Type
	options string
}{
	{"edk2 DISCOVER", edk2, dhcp.Discover, "350101 390205c0 37230102030405060c0d0f111216171c28292a2b3233363a3b3c4243618081828384858687 6111UUID" +
		"5e03010300 5d020007 3c20" + hex.EncodeToString([]byte("PXEClient:Arch:00007:UNDI:003000"))},
	{"edk2 REQUEST", edk2, dhcp.Request, "350103 3604c0a80101 3204c0a80102 3902ff00 37230102030405060c0d0f111216171c28292a2b3233363a3b3c4243618081828384858687" +
		"6111UUID 5e03010300 5d020007 3c20" + hex.EncodeToString([]byte("PXEClient:Arch:00007:UNDI:003000"))},
	{"iPXE DISCOVER", ipxe, dhcp.Discover, "350101 390205c0 5d020007 5e0301030a 3c20" +
		hex.EncodeToString([]byte("PXEClient:Arch:00007:UNDI:003010")) + "4d0469505845" +
		"3717010306070c0f111a2b3c4243778081828384858687afcb af27b105011af41000eb030100001701012401011301011101012701012901011501011b0101120101" +
		"3d0701NODE 6111UUID"},
	{"iPXE REQUEST", ipxe, dhcp.Request, "350103 390205c0 5d020007 5e0301030a 3c20" +
		hex.EncodeToString([]byte("PXEClient:Arch:00007:UNDI:003010")) + "4d0469505845" +
		"3717010306070c0f111a2b3c4243778081828384858687afcb af27b105011af41000eb030100001701012401011301011101012701012901011501011b0101120101" +
		"3d0701NODE 6111UUID 3604c0a80101 3204c0a80102"},
}

// The models send what the real clients send, option for option.
func TestMessagesAsCaptured(t *testing.T) {
	f := newFixture(t, testContents())
	s, err := NewStorm(Config{Nodes: 1, Seed: 1}, f.files)
	if err != nil {
		t.Fatal(err)
	}
	n := &s.nodes[0]
	for _, c := range captured {
		n.dhcp = dhcpState{who: c.who, xid: 0x01020304}
		n.dhcp.offer.server, n.dhcp.offer.addr = serverAddr, proto.AddrOf(192, 168, 1, 2)
		want := strings.NewReplacer(" ", "", "NODE", hex.EncodeToString(n.mac[:]), "UUID", "00"+hex.EncodeToString(n.uuid[:])).Replace(c.options)
		msg := n.message(0, c.kind)
		if got := hex.EncodeToString(msg[dhcp.OptionsOff:]); !strings.HasPrefix(got, want+"ff") {
			t.Errorf("%s:\n got %s\nwant %sff", c.name, got, want)
		}
		h := dhcp.View(msg)
		if flags := h.Flags(); (flags == dhcp.FlagBcast) != (c.who == edk2) || h.XID() != 0x01020304 || h.HType() != 1 || h.HLen() != 6 {
			t.Errorf("%s: header % x", c.name, msg[:44])
		}
	}
}

// firstBoot runs one node that boots once.
func firstBoot(t *testing.T, sequence Sequence, waits bool, change func(*fixture)) (*fixture, *Result) {
	t.Helper()
	f := newFixture(t, testContents())
	if change != nil {
		change(f)
	}
	return f, play(t, Config{Nodes: 1, Sequence: sequence, Waits: waits, Seed: 3, Renew: 10 * batch.Second}, f)
}

func wantReason(t *testing.T, r *Result, part string) {
	t.Helper()
	if r.Failed != r.Boots || len(r.Failures) != 1 || !strings.Contains(r.Failures[0].Reason, part) {
		t.Errorf("failed %d of %d, %+v; want the reason %q", r.Failed, r.Boots, r.Failures, part)
	}
}

// Nobody answers: each client's own schedule, then it gives up.
func TestDiscoverSchedule(t *testing.T) {
	f, r := firstBoot(t, DORA, false, func(f *fixture) { f.mute = true })
	if got := f.times(dhcp.Discover); !slices.Equal(got, []int64{0, 4000, 12000, 28000}) {
		t.Errorf("edk2 sends DISCOVER at %v ms", got)
	}
	wantReason(t, r, "no OFFER after 4 DISCOVERs")
	if r.LastNode.Seconds() != 60 || r.Repeated.Discover != 3 {
		t.Errorf("gave up after %s, %d repeated", r.LastNode, r.Repeated.Discover)
	}
	f, r = firstBoot(t, Linux, false, func(f *fixture) { f.mute = true })
	if got := f.times(dhcp.Discover); !slices.Equal(got, []int64{0, 4000, 12000, 28000, 60000}) {
		t.Errorf("Linux sends DISCOVER at %v ms", got)
	}
	wantReason(t, r, "no OFFER")
}

// onlyFor makes the server answer messages of one client type, by user class.
func onlyFor(ipxeToo bool) func(*fixture) {
	return func(f *fixture) {
		f.bend = func(to dhcp.Type, msg []byte, dst *address) []byte {
			if isIPXE := cstring(dhcp.View(msg).File()[:]) == "refind.pxe"; isIPXE && !ipxeToo {
				return nil
			}
			return msg
		}
	}
}

func TestIPXEDiscoverSchedule(t *testing.T) {
	f, r := firstBoot(t, Guide, false, onlyFor(false))
	got := f.times(dhcp.Discover)[1:]
	for i := range got {
		got[i] -= f.times(dhcp.Discover)[1]
	}
	if !slices.Equal(got, []int64{0, 1000, 3000, 7000}) {
		t.Errorf("iPXE sends DISCOVER at %v ms", got)
	}
	wantReason(t, r, "no OFFER after 4 DISCOVERs")
}

// With its own waits edk2 collects offers for 3 to 4 seconds, whatever comes,
// and iPXE asks twice and takes the offer after 3 seconds.
func TestOwnWaits(t *testing.T) {
	f, r := firstBoot(t, Guide, true, nil)
	if !r.OK() {
		t.Fatalf("%+v", r.Failures)
	}
	discover, requests := f.times(dhcp.Discover), f.times(dhcp.Request)
	if len(discover) != 3 || len(requests) != 2 {
		t.Fatalf("DISCOVER at %v, REQUEST at %v", discover, requests)
	}
	if d := requests[0]; d < 3000 || d > 4000 {
		t.Errorf("edk2 sends REQUEST after %d ms", d)
	}
	if discover[2]-discover[1] != 1000 || requests[1]-discover[1] != 3000 {
		t.Errorf("iPXE: DISCOVER at %v, REQUEST at %v", discover[1:], requests[1:])
	}
	if r.Repeated.Habit != 1 || r.Repeated.Discover != 0 {
		t.Errorf("the second DISCOVER is counted as %+v", r.Repeated)
	}
}

// iPXE does not wait for a proxy if told so, or if the offer is a PXE offer.
func TestIPXEDoesNotWait(t *testing.T) {
	for _, c := range []struct {
		name    string
		options []byte
	}{
		{"175.176 = 1", []byte{175, 3, 176, 1, 1}},
		{"60 = PXEClient with 43.6", append([]byte{60, 9}, append([]byte("PXEClient"), 43, 4, 6, 1, 8, 255)...)},
	} {
		f, r := firstBoot(t, Guide, true, func(f *fixture) { f.bend = withOptions(c.options) })
		if !r.OK() {
			t.Fatalf("%s: %+v", c.name, r.Failures)
		}
		discover, requests := f.times(dhcp.Discover), f.times(dhcp.Request)
		if len(discover) != 2 || requests[1] != discover[1] {
			t.Errorf("%s: DISCOVER at %v, REQUEST at %v", c.name, discover, requests)
		}
	}
}

// withOptions inserts options in front of all others.
func withOptions(o []byte) func(dhcp.Type, []byte, *address) []byte {
	return func(_ dhcp.Type, msg []byte, _ *address) []byte { return slices.Insert(msg, dhcp.OptionsOff, o...) }
}

// without removes an option.
func without(code byte) func(dhcp.Type, []byte, *address) []byte {
	return func(_ dhcp.Type, msg []byte, _ *address) []byte { return drop(msg, code) }
}

func drop(msg []byte, code byte) []byte {
	for i := dhcp.OptionsOff; i < len(msg) && msg[i] != dhcp.OptEnd; i += 2 + int(msg[i+1]) {
		if msg[i] == code {
			n := 2 + int(msg[i+1])
			return append(slices.Delete(msg, i, i+n), make([]byte, n)...)
		}
	}
	return msg
}

// poke changes bytes of the reply.
func poke(off int, v ...byte) func(dhcp.Type, []byte, *address) []byte {
	return func(_ dhcp.Type, msg []byte, _ *address) []byte {
		copy(msg[off:], v)
		return msg
	}
}

// inAck bends the ACK only.
func inAck(f func(dhcp.Type, []byte, *address) []byte) func(dhcp.Type, []byte, *address) []byte {
	return func(to dhcp.Type, msg []byte, dst *address) []byte {
		if to != dhcp.Request {
			return msg
		}
		return f(to, msg, dst)
	}
}

// Each thing that a reply may lack or get wrong is found and named.
func TestFaultsOfReplies(t *testing.T) {
	for _, c := range []struct {
		name string
		bend func(dhcp.Type, []byte, *address) []byte
		want string
	}{
		{"no END", func(_ dhcp.Type, m []byte, _ *address) []byte {
			return bytes.ReplaceAll(m, []byte{255, 0}, []byte{0, 0})
		}, "END"},
		{"short", func(_ dhcp.Type, m []byte, _ *address) []byte { return m[:299] }, "shorter than 300"},
		{"long", func(_ dhcp.Type, m []byte, _ *address) []byte { return append(m, make([]byte, 1173)...) }, "longer than the 1472"},
		{"options cut", func(_ dhcp.Type, m []byte, _ *address) []byte {
			m[len(m)-2], m[len(m)-1] = 12, 99
			m[265] = 0
			return bytes.ReplaceAll(m, []byte{255, 0}, []byte{0, 0})
		}, "cannot be read"},
		{"overload", withOptions([]byte{52, 1, 1}), "overload"},
		{"hlen", poke(2, 16), "hardware type or length"},
		{"giaddr", poke(24, 1), "giaddr"},
		{"no address", poke(16, 0, 0, 0, 0), "no address"},
		{"no server identifier", without(54), "server identifier"},
		{"no mask", without(1), "no subnet mask"},
		{"no lease time", without(51), "no lease time"},
		{"the server's own address", poke(16, 192, 168, 1, 1), "the server's own"},
		{"no boot file", poke(108, make([]byte, 128)...), "no boot file"},
		{"no boot server", poke(20, 0, 0, 0, 0), "no boot server"},
		{"PXEClient without a file", func(_ dhcp.Type, m []byte, _ *address) []byte {
			copy(m[108:], make([]byte, 128))
			return slices.Insert(m, dhcp.OptionsOff, append([]byte{60, 9}, "PXEClient"...)...)
		}, "4011"},
		{"unicast in spite of the flag", func(_ dhcp.Type, m []byte, dst *address) []byte {
			*dst = address{proto.MAC(m[28:34]), proto.AddrOf(192, 168, 1, 2), 68}
			return m
		}, "not broadcast"},
		{"flag not repeated", poke(10, 0), "not broadcast"},
		{"ACK of another address", inAck(poke(16, 192, 168, 1, 99)), "not the offered one"},
		{"ACK without the file", inAck(poke(108, 'x')), "not those of the OFFER"},
		{"ACK with option 60", inAck(withOptions(append([]byte{60, 9}, "PXEClient"...))), "not those of the OFFER"},
		{"ACK with another mask", inAck(func(to dhcp.Type, m []byte, _ *address) []byte {
			return slices.Insert(drop(m, 1), dhcp.OptionsOff, 1, 4, 255, 255, 255, 0)
		}), "mask or router"},
		{"NAK", inAck(poke(242, byte(dhcp.Nak))), "NAK"},
		{"option 13 too small", withOptions([]byte{13, 2, 0, 1}), "PXE-E05"},
		{"a file that nobody has", poke(108, 'q', 'q', 0), "not among the expected files"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, r := firstBoot(t, Guide, false, func(f *fixture) { f.bend = c.bend })
			wantReason(t, r, c.want)
		})
	}
}

// iPXE's flag is clear, so its replies go to its hardware address.
func TestFaultBroadcastToIPXE(t *testing.T) {
	_, r := firstBoot(t, Guide, false, func(f *fixture) {
		f.bend = func(_ dhcp.Type, m []byte, dst *address) []byte {
			dst.mac, dst.ip = proto.Broadcast, proto.Limited
			return m
		}
	})
	wantReason(t, r, "although the broadcast flag is clear")
}

// What is not for this node, or not an answer to what it asked, is ignored.
func TestStrayReplies(t *testing.T) {
	for _, c := range []struct {
		name string
		bend func(dhcp.Type, []byte, *address) []byte
	}{
		{"other xid", poke(4, 9, 9)},
		{"other chaddr", poke(33, 0x77)},
		{"a request", poke(0, dhcp.BootRequest)},
		{"ACK in answer to DISCOVER", poke(242, byte(dhcp.Ack))},
	} {
		_, r := firstBoot(t, DORA, false, func(f *fixture) { f.bend = c.bend })
		if wantReason(t, r, "no OFFER after 4 DISCOVERs"); t.Failed() {
			t.Fatal(c.name)
		}
	}
}

// After a NAK iPXE begins again a second later and boots.
func TestIPXERestartsAfterNAK(t *testing.T) {
	naks := 0
	f, r := firstBoot(t, Guide, false, func(f *fixture) {
		f.bend = func(to dhcp.Type, m []byte, _ *address) []byte {
			if to == dhcp.Request && cstring(m[108:236]) == "refind.pxe" && naks == 0 {
				naks++
				m[242] = byte(dhcp.Nak)
			}
			return m
		}
	})
	if !r.OK() || r.NAKs != 1 || len(f.times(dhcp.Discover)) != 3 {
		t.Fatalf("%+v, %d NAKs, DISCOVER at %v", r.Failures, r.NAKs, f.times(dhcp.Discover))
	}
}

// A lost ACK is asked for again, on each client's schedule.
func TestRequestSchedule(t *testing.T) {
	f, r := firstBoot(t, DORA, false, func(f *fixture) {
		f.bend = inAck(func(dhcp.Type, []byte, *address) []byte { return nil })
	})
	if got := f.times(dhcp.Request); !slices.Equal(got, []int64{0, 4000, 12000, 28000}) || r.Repeated.Request != 3 {
		t.Errorf("edk2 sends REQUEST at %v ms, %d repeated", got, r.Repeated.Request)
	}
	wantReason(t, r, "no ACK after 4 REQUESTs")
}

// The server gives one address to two nodes: the second one says so.
func TestAddressGivenTwice(t *testing.T) {
	f := newFixture(t, testContents())
	f.addrOf = func(proto.MAC) proto.Addr { return proto.AddrOf(192, 168, 1, 2) }
	r := play(t, Config{Nodes: 2, Sequence: DORA}, f)
	if r.Done != 1 || r.Failed != 1 || !strings.Contains(r.Failures[0].Reason, "while 52:54:00:00:00:01 holds it") {
		t.Errorf("%d done, %+v", r.Done, r.Failures)
	}
}

// A node that gets another address gives the old one up.
func TestAddressMoves(t *testing.T) {
	f := newFixture(t, testContents())
	boots := 0
	f.addrOf = func(m proto.MAC) proto.Addr { return proto.AddrOf(192, 168, 1, byte(2+(int(m[5])+boots/4)%2)) }
	f.bend = func(to dhcp.Type, m []byte, _ *address) []byte { boots++; return m }
	r := play(t, Config{Nodes: 1, Boots: 3, Sequence: DORA}, f)
	if !r.OK() || r.Addresses != 2 {
		t.Errorf("%+v, %d addresses", r.Failures, r.Addresses)
	}
}

// An installed system gets its lease with an identifier of its own and renews
// it by unicast, without naming a server.
func TestLinuxRenews(t *testing.T) {
	f, r := firstBoot(t, Linux, false, nil)
	if !r.OK() {
		t.Fatalf("%+v", r.Failures)
	}
	last := f.seen[len(f.seen)-1]
	var o dhcp.Options
	o.Parse(last.msg)
	id, _ := o.Get(dhcp.OptClientID)
	if last.at < 10*batch.Second || last.kind != dhcp.Request || dhcp.View(last.msg).CIAddr() != proto.AddrOf(192, 168, 1, 2) ||
		o.Has(dhcp.OptServerID) || o.Has(dhcp.OptRequestedAddr) || len(id) != 19 || id[0] != 255 {
		t.Errorf("the renewal is %+v, identifier % x", last, id)
	}
}

func TestLinuxRenewalFaults(t *testing.T) {
	renewal := func(f func(m []byte, dst *address) []byte) func(dhcp.Type, []byte, *address) []byte {
		return func(_ dhcp.Type, m []byte, dst *address) []byte {
			if dst.ip == proto.AddrOf(192, 168, 1, 2) && dhcp.View(m).CIAddr() == 0 && dst.port == 68 {
				return f(m, dst)
			}
			return m
		}
	}
	first := 0
	for _, c := range []struct {
		name string
		bend func(m []byte, dst *address) []byte
		want string
	}{
		{"silence", func(m []byte, _ *address) []byte { return nil }, "no ACK for a renewal after 5 REQUESTs"},
		{"another address", func(m []byte, _ *address) []byte { copy(m[16:], []byte{192, 168, 1, 77}); return m }, "another address"},
		{"broadcast", func(m []byte, dst *address) []byte { dst.mac, dst.ip = proto.Broadcast, proto.Limited; return m }, "does not go to the client's address"},
	} {
		first = 0
		_, r := firstBoot(t, Linux, false, func(f *fixture) {
			f.bend = renewal(func(m []byte, dst *address) []byte {
				if first++; first <= 2 { // the OFFER and the first ACK
					return m
				}
				return c.bend(m, dst)
			})
		})
		t.Log(c.name)
		wantReason(t, r, c.want)
	}
}
