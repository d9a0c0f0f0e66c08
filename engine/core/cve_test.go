package core

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/config"
	"bootstorm/engine/image"
	"bootstorm/engine/plan/compile"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// The shapes of past vulnerabilities of DHCP and TFTP servers, each against the
// whole core, as frames. TestShapesOfPastVulnerabilities runs them by these
// names, and fails if one of the table is missing.
//
//	shape                                                  found in                                    here
//	client identifier of length 0, invalid or cut          dhcpd 2010-2156, 2012-3570, 2012-3571       identifies nobody; cut: dropped
//	wrong lengths of IP and UDP                            dhcpd 2015-8605                             dropped, counted by kind
//	label of more than 63 bytes in option 81               dhcpd 2022-2929                             option not answered
//	host name that is nothing once it is cleaned           Kea 2025-11232                              leased, no name kept
//	malformed host name, malformed option 81               Kea 2019-6473                               leased
//	one option without end, parse error after it           dhcpd 2018-5733                             joined, or dropped
//	option longer than its message                         dhcpd 2018-5732                             dropped
//	LEASEQUERY over and over                               dhcpd 2022-2928                             dropped, nothing kept
//	unicast REQUEST that no subnet matches                 Kea 2025-40779                              silence
//	neither hardware address nor identifier                Kea 2019-6474                               dropped
//	deeply nested configuration                            Kea 2026-3608                               an error that names the limit
//	DHCPv6: DUID, relay, stack, reuse                      Kea 2019-6472, dhcpd 2010-3611,             not spoken: never reaches the parser
//	                                                       dnsmasq 2017-14493, 2017-14494, 2022-0934
//	long file name in a TFTP request                       dnsmasq 2009-2957, atftpd 2003-0380         ERROR 1, bounded copy
//	TFTP option without a value                            dnsmasq 2009-2958                           option ignored
//	TFTP options that overflow the OACK                    atftpd 2021-41054                           each option once, at most four
//	TFTP option read past the end                          atftpd 2021-46671, tftpd-hpa 5.1            ERROR 4
//	TFTP ERROR with a long text                            atftpd 2019-11365                           text never copied
//	many transfers begin and end at once                   atftpd 2019-11366                           one owner, no lists shared
//	path of slashes and dots                               tftpd-hpa 5.4                               ERROR 1
//	request that claims more than was received             tftpd-hpa 5.4                               ERROR 4, or dropped by length
//	a server's message sent to the server: FORCERENEW      systemd 2018-15688, 2020-13529              dropped
//	sub-options of relay and vendor options cut            dnsmasq 2017-14494 in v4                    not there
//	hardware length beyond its field                       gopacket                                    dropped
var shapes = []struct {
	name, cves string
	run        func(w *world)
}{
	{"client identifier of length 0, invalid or cut", "2010-2156 2012-3570 2012-3571", shapeClientID},
	{"wrong lengths of IP and UDP", "2015-8605", shapeLengths},
	{"label of more than 63 bytes in option 81", "2022-2929", shapeFQDN},
	{"host name that is nothing once it is cleaned", "2025-11232", shapeHostname},
	{"malformed host name, malformed option 81", "2019-6473", shapeMalformedNames},
	{"one option without end, parse error after it", "2018-5733", shapeOneOption},
	{"option longer than its message", "2018-5732", shapeLongOption},
	{"LEASEQUERY over and over", "2022-2928", shapeLeasequery},
	{"unicast REQUEST that no subnet matches", "2025-40779", shapeNoSubnet},
	{"neither hardware address nor identifier", "2019-6474", shapeNobody},
	{"deeply nested configuration", "2026-3608", shapeNesting},
	{"DHCPv6: DUID, relay, stack, reuse", "2019-6472 2010-3611 2017-14493 2017-14494 2022-0934", shapeV6},
	{"long file name in a TFTP request", "2009-2957 2003-0380", shapeLongName},
	{"TFTP option without a value", "2009-2958", shapeNoValue},
	{"TFTP options that overflow the OACK", "2021-41054", shapeOackOverflow},
	{"TFTP option read past the end", "2021-46671 hpa-5.1", shapePastEnd},
	{"TFTP ERROR with a long text", "2019-11365", shapeLongError},
	{"many transfers begin and end at once", "2019-11366", shapeManyTransfers},
	{"path of slashes and dots", "hpa-5.4", shapePath},
	{"request that claims more than was received", "hpa-5.4", shapeOverread},
	{"a server's message sent to the server: FORCERENEW", "2018-15688 2020-13529", shapeServersMessage},
	{"sub-options of relay and vendor options cut", "2017-14494", shapeSubOptions},
	{"hardware length beyond its field", "gopacket", shapeHardwareLength},
}

func TestShapesOfPastVulnerabilities(t *testing.T) {
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			c := smallConfig(buildPlan(t, plain+`host byid { uid "x"; fixed-address 192.168.1.99; }`))
			c.Files = image.Build(1, "/srv/tftp", []image.File{{Name: "f", Data: bytes.Repeat([]byte("x"), 1000)}})
			w := worldOf(t, c)
			s.run(w)
			w.checked()
			w.leap(200)
			w.lease(machine(200)) // and it still serves
			w.wantTFTP(request(240, "f\x00octet\x00"), 3)
		})
	}
}

// TestEveryShapeIsThere: the table above is what others had to learn; none of it
// may get lost.
func TestEveryShapeIsThere(t *testing.T) {
	var all strings.Builder
	for _, s := range shapes {
		all.WriteString(s.cves + " ")
	}
	for _, id := range strings.Fields("2010-2156 2012-3570 2012-3571 2015-8605 2022-2929 2025-11232 2019-6473 2018-5733 2018-5732 2022-2928 2025-40779 " +
		"2019-6474 2026-3608 2019-6472 2010-3611 2017-14493 2017-14494 2022-0934 2009-2957 2003-0380 2009-2958 2021-41054 2021-46671 hpa-5.1 2019-11365 " +
		"2019-11366 hpa-5.4 2018-15688 2020-13529") {
		if !strings.Contains(all.String(), id+" ") {
			t.Errorf("no shape for %s", id)
		}
	}
}

// request is a TFTP request of a client, all of its fields behind the opcode.
func request(client byte, fields string) msg {
	m := machine(client)
	m.src, m.dst, m.sport, m.dport, m.raw = host(client), serverAddr, 2000, proto.PortTFTP, []byte("\x00\x01"+fields)
	return m
}

// wantTFTP sends a datagram to port 69 and wants an answer of an opcode (code for
// an ERROR: 500 + its code), 0 for none; it has at most one frame.
func (w *world) wantTFTP(m msg, want int) {
	w.t.Helper()
	w.rx.Now, w.rx.N = w.now, 1
	w.rx.Frames[0] = batch.Frame{Data: m.frame(), Checksum: true}
	w.core.Step(w.rx, 0, w.tx)
	w.core.Tick(w.now, w.tx)
	got, frames := 0, 0
	for _, x := range w.tx.Messages[:w.tx.N] {
		for i := range x.Frames() {
			var p proto.Packet
			if d := proto.ParseFrame(&p, x.AppendFrame(nil, i), true); d != proto.OK || p.SrcPort != proto.PortTFTP {
				continue
			}
			if p.DstPort != 2000 || p.Dst != m.src {
				w.t.Errorf("answered %v port %d", p.Dst, p.DstPort)
			}
			frames++
			if got = int(p.Payload[1]); got == 5 {
				got = 500 + int(p.Payload[3])
			}
		}
	}
	w.tx.Sent(w.tx.N)
	w.core.Events().Reset()
	if got != want || frames > 1 {
		w.t.Errorf("%.60q: answered %d in %d frames, want %d", m.raw, got, frames, want)
	}
}

// refused sends a message that must count as malformed and get no answer.
func (w *world) refused(m msg) {
	w.t.Helper()
	before := dropped(w.core)
	if a := w.ask(m); a != nil {
		w.t.Errorf("answered %v", a.kind)
	}
	if dropped(w.core) != before+1 {
		w.t.Error("not counted as malformed")
	}
}

func shapeClientID(w *world) {
	w.want(machine(2).with(dhcp.OptClientID), dhcp.Offer, host(10))
	w.want(machine(2).with(dhcp.OptClientID).selecting(host(10)), dhcp.Ack, host(10))
	w.lease(machine(3).with(dhcp.OptClientID, bytes.Repeat([]byte{0xff}, 255)...))
	w.lease(machine(4).with(dhcp.OptClientID, 0))
	m := machine(5)
	m.tail = []byte{dhcp.OptClientID, 7, 1}
	w.refused(m)
	m.tail = []byte{dhcp.OptClientID}
	w.refused(m)
	m.tail = []byte{dhcp.OptClientID, 255, 1, 2}
	w.refused(m)
	nobody := machine(6).with(dhcp.OptClientID)
	nobody.noHW = true
	w.refused(nobody) // an empty identifier is none
}

func shapeLengths(w *world) {
	for _, at := range []int{16, 17, 38, 39, 14} { // total length, UDP length, header length
		for _, v := range []byte{0, 1, 7, 8, 19, 20, 27, 0x4f, 0x41, 0x7f, 0xff} {
			f := machine(2).frame()
			if f[at] == v {
				continue
			}
			f[at] = v
			f[24], f[25] = 0, 0
			if n := int(f[14]&15) * 4; n >= 20 && 14+n <= len(f) {
				sum := ^proto.Fold(proto.Sum(0, f[14:14+n]))
				f[24], f[25] = byte(sum>>8), byte(sum)
			}
			before := dropped(w.core)
			if a := w.frame(f); len(a) != 0 && dropped(w.core) != before {
				w.t.Errorf("byte %d is %d: dropped and answered", at, v)
			}
		}
	}
	for n := range len(machine(2).frame()) { // cut anywhere
		w.frame(machine(2).frame()[:n])
	}
}

func shapeFQDN(w *world) {
	for i, name := range [][]byte{{0, 0, 0, 64, 'a'}, {4, 0, 0, 0xc0, 0xff, 'a', 0}, append([]byte{5, 0, 0, 63}, bytes.Repeat([]byte("a"), 63)...),
		append([]byte{5, 0, 0, 255}, bytes.Repeat([]byte("a"), 200)...), {0}, {}, {0, 0, 0}, {4, 0, 0, 1, 'a', 0xc0, 3}} {
		w.lease(machine(byte(2+i)).with(dhcp.OptFQDN, name...))
	}
}

func shapeHostname(w *world) {
	for i, name := range []string{"\x00\x00\x00", "\x00", "", "\xff\xff", "...", "-", strings.Repeat("\x00", 255), strings.Repeat(".", 250)} {
		w.lease(machine(byte(2+i)).with(dhcp.OptHostName, []byte(name)...))
	}
}

func shapeMalformedNames(w *world) {
	for i, name := range []string{"a\nb", "\"; rm -rf /; \"", "a}\nlease 192.168.1.10 {", "\x1b[2J", "%n%s%x", strings.Repeat(".", 250)} {
		w.lease(machine(byte(2+i)).with(dhcp.OptHostName, []byte(name)...).with(dhcp.OptFQDN, []byte("\x01\x00\x00"+name)...))
	}
}

func shapeOneOption(w *world) {
	m := machine(2)
	for range 300 {
		m = m.with(250)
	}
	w.want(m, dhcp.Offer, host(10))
	m = machine(3)
	for range 300 {
		m = m.with(250, 1, 2, 3)
	}
	w.ask(m)
	m.tail = []byte{250, 200, 1}
	w.refused(m)
	over := machine(4).with(dhcp.OptOverload, 3) // file and sname, which are zeros
	w.want(over, dhcp.Offer, host(12))
	w.ask(machine(4).with(dhcp.OptOverload, 255))
	w.ask(machine(4).with(dhcp.OptOverload))
	w.ask(machine(4).with(dhcp.OptOverload, 1, 2))
}

func shapeLongOption(w *world) {
	for _, tail := range [][]byte{{120, 10, 1, 1}, {120, 255}, {120}, {43, 1}, {43, 2, 6}, {82, 250, 1, 2}} {
		m := machine(2)
		m.tail = tail
		w.refused(m)
	}
}

func shapeLeasequery(w *world) {
	n := w.core.events.Lost
	for i := range 1000 {
		w.now.Mono += batch.Second
		for kind := dhcp.Type(9); kind < 20; kind++ {
			m := machine(byte(i % 100)).of(kind)
			m.ciaddr = host(10)
			w.refused(m)
		}
	}
	if w.core.events.Lost != n || len(w.journal) != 0 {
		w.t.Error("something was kept")
	}
}

func shapeNoSubnet(w *world) {
	for _, relay := range []proto.Addr{0, proto.AddrOf(9, 9, 9, 9), 0xffffffff, proto.AddrOf(127, 0, 0, 1), serverAddr} {
		for _, from := range []proto.Addr{proto.AddrOf(9, 9, 9, 9), 0, host(50)} {
			m := machine(2).of(dhcp.Request)
			m.ciaddr, m.src, m.dst, m.giaddr = from, from, serverAddr, relay
			w.frame(m.frame())
			w.frame(m.asking(proto.AddrOf(9, 9, 9, 9)).frame())
			m.kind = dhcp.Inform
			w.frame(m.frame())
			m.kind = dhcp.Release
			w.frame(m.frame())
		}
	}
	if len(w.journal) != 0 {
		w.t.Error("a lease was written")
	}
}

func shapeNobody(w *world) {
	for _, kind := range []dhcp.Type{dhcp.Discover, dhcp.Request, dhcp.Decline, dhcp.Release, dhcp.Inform, dhcp.BOOTP} {
		m := machine(2).of(kind)
		m.noHW = true
		w.refused(m)
	}
}

func shapeNesting(w *world) {
	for _, text := range []string{strings.Repeat("group { ", 100_000), strings.Repeat("if known { ", 100_000), "if " + strings.Repeat("(", 100_000),
		"option x code 1 = " + strings.Repeat("{ ", 100_000), strings.Repeat("option a = { ", 100_000), strings.Repeat("{", 100_000)} {
		tree := config.ParseText("dhcpd.conf", []byte(text), config.Options{})
		if !tree.HasErrors() {
			w.t.Errorf("%.20q…: no error", text)
		}
		if p, _ := compile.Compile(tree); p != nil {
			w.t.Errorf("%.20q…: compiled", text)
		}
	}
}

func shapeV6(w *world) {
	for _, port := range []uint16{546, 547} {
		m := machine(2)
		m.dport, m.raw = port, append([]byte{12, 0}, bytes.Repeat([]byte{0xff}, 200)...)
		w.refused(m)
	}
	for _, payload := range [][]byte{{}, {0x60}, bytes.Repeat([]byte{0x60}, 40), append([]byte{0x60, 0, 0, 0, 0, 20, 17, 255}, bytes.Repeat([]byte{0xff}, 200)...)} {
		f := append([]byte{0x33, 0x33, 0, 1, 0, 2, 2, 0, 0, 0, 0x0c, 2, 0x86, 0xdd}, payload...)
		if a := w.frame(f); len(a) != 0 || len(w.adverts) != 0 {
			w.t.Error("IPv6 was answered")
		}
	}
}

func shapeLongName(w *world) {
	for _, n := range []int{64, 128, 255, 256, 511, 512, 513, 600, 1400} {
		w.wantTFTP(request(240, strings.Repeat("A", n)+"\x00octet\x00"), 501)
		w.wantTFTP(request(240, strings.Repeat("%n", n/2)+"\x00octet\x00"), 501)
	}
	w.wantTFTP(request(240, strings.Repeat("A", 1400)), 504)
	w.wantTFTP(request(240, "f\x00"+strings.Repeat("A", 1400)+"\x00"), 504)
}

func shapeNoValue(w *world) {
	for i, options := range []string{"blksize\x00", "blksize", "tsize\x00", "\x00", "\x00\x00", "blksize\x00\x00", "windowsize\x00\x00timeout\x00"} {
		want := 3
		if !strings.HasSuffix(options, "\x00") {
			want = 504
		}
		w.wantTFTP(request(byte(240+i), "f\x00octet\x00"+options), want)
	}
}

func shapeOackOverflow(w *world) {
	w.wantTFTP(request(240, "f\x00octet\x00"+strings.Repeat("blksize\x001000\x00", 90)), 6)
	w.wantTFTP(request(241, "f\x00octet\x00"+strings.Repeat("tsize\x000\x00windowsize\x0064\x00timeout\x00255\x00blksize\x0065464\x00", 25)), 6)
	long := strings.Repeat("0", 300)
	w.wantTFTP(request(242, "f\x00octet\x00tsize\x00"+long+"\x00blksize\x00"+long+"512\x00windowsize\x00"+long+"1\x00timeout\x00"+long+"1\x00"), 6)
	w.wantTFTP(request(243, "f\x00octet\x00"+strings.Repeat("o", 1000)+"\x001\x00"), 3)
	w.wantTFTP(request(244, "f\x00octet\x00tsize\x0099999999999999999999999999\x00"), 6)
}

func shapePastEnd(w *world) {
	whole := "f\x00octet\x00blksize\x001000\x00tsize\x000\x00"
	for n := range len(whole) {
		want := 504
		if whole[max(n-1, 0)] == 0 && n >= 8 {
			want = 3
			if strings.Contains(whole[:n], "1000\x00") {
				want = 6
			}
		}
		w.now.Mono += 40 * batch.Second // what came before is over
		w.tick()
		w.wantTFTP(request(240, whole[:n]), want)
	}
}

func shapeLongError(w *world) {
	w.wantTFTP(request(240, "f\x00octet\x00blksize\x00512\x00"), 6)
	m := request(240, "")
	for _, b := range [][]byte{append([]byte{0, 5, 0, 0}, bytes.Repeat([]byte("A"), 1400)...), {0, 5}, {0, 5, 0}, {0, 5, 255, 255}, {0, 5, 0, 0, 'x'}} {
		m.raw = b
		w.wantTFTP(m, 0)
	}
}

func shapeManyTransfers(w *world) {
	for i := range 3000 {
		w.now.Mono += batch.Millisecond
		m := request(byte(20+i%200), "f\x00octet\x00")
		w.wantTFTP(m, 3)
		switch i % 4 {
		case 0:
			m.raw = []byte{0, 5, 0, 0}
		case 1:
			m.raw = []byte{0, 4, 0, 2} // never sent
		case 2:
			continue
		case 3:
			m.raw = []byte{0, 4, 0, 9}
		}
		w.wantTFTP(m, 0)
		if i%4 < 2 {
			m.raw = []byte{0, 5, 0, 0}
			w.wantTFTP(m, 0)
		}
		w.now.Mono += 400 * batch.Millisecond
		w.core.Tick(w.now, w.tx)
		w.tx.Sent(w.tx.N)
	}
}

func shapePath(w *world) {
	for _, name := range []string{"/", "//", "///////", "/.", "/..", "..", ".", "", "/./././", "a//b/../c", strings.Repeat("/.", 250), strings.Repeat("../", 170)} {
		w.wantTFTP(request(240, name+"\x00octet\x00"), 501)
	}
}

func shapeOverread(w *world) {
	for _, raw := range []string{"\x00\x01", "\x00\x01f", "\x00\x01f\x00o", "\x00\x01f\x00octet"} {
		m := request(240, "")
		m.raw = []byte(raw)
		w.wantTFTP(m, 504)
	}
	for _, raw := range []string{"", "\x00", "\x01", "\x00\x03", "\x00\x03\x00\x01data", "\x00\x06\x00", "\x00\x07xx", "\xff\xff\xff\xff"} {
		m := request(240, "")
		m.raw = []byte(raw)
		w.wantTFTP(m, 0)
	}
}

func shapeServersMessage(w *world) {
	for _, kind := range []dhcp.Type{dhcp.Offer, dhcp.Ack, dhcp.Nak, 9, 10, 255} { // 9 is FORCERENEW (RFC 3203)
		w.refused(machine(2).of(kind).naming(serverAddr))
		reply := machine(2).of(kind)
		reply.op = dhcp.BootReply
		w.refused(reply)
	}
}

func shapeSubOptions(w *world) {
	for i, v := range [][]byte{{1, 200, 'a', 'b'}, {1}, {}, {1, 0, 1, 0, 1}, {11, 4, 1, 2, 3}, {11, 255}, {5, 4, 0, 0}, {151, 1}, {150, 0}} {
		w.frame(machine(byte(2+i)).with(dhcp.OptRelayAgent, v...).relayed(host(254)).frame())
		w.frame(machine(byte(2+i)).with(dhcp.OptRelayAgent, v...).relayed(host(254)).of(dhcp.Request).naming(host(99)).asking(host(10)).frame())
		w.frame(machine(byte(20+i)).firmware().with(dhcp.OptVendorSpecific, v...).frame())
		pxe := machine(byte(20+i)).firmware().with(dhcp.OptVendorSpecific, v...).of(dhcp.Request)
		pxe.ciaddr, pxe.dport, pxe.dst = host(10), proto.PortPXE, serverAddr
		w.frame(pxe.frame())
	}
}

func shapeHardwareLength(w *world) {
	for _, n := range []byte{17, 18, 64, 128, 255} {
		m := machine(2)
		m.hlen = n
		w.refused(m)
	}
	for n := byte(1); n <= 16; n++ {
		m := machine(n)
		m.hlen, m.htype = n, 32
		if w.ask(m) == nil && n < 10 {
			w.t.Error(fmt.Sprint("no offer for a hardware address of ", n, " bytes"))
		}
	}
}
