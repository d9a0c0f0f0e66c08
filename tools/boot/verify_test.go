package main

import (
	"bytes"
	"net"
	"strings"
	"testing"

	"bootstorm/pcap"
	"bootstorm/proto"
	"bootstorm/proto/tftp"
)

// wire builds a capture frame by frame.
type wire struct{ pcap.Capture }

var (
	server = proto.AddrOf(192, 168, 1, 1)
	client = proto.AddrOf(192, 168, 1, 2)
	mac    = parseMAC(macOf(1))
)

func (w *wire) frame(from, to proto.MAC, src, dst proto.Addr, sport, dport uint16, payload []byte) {
	var head [proto.HeadersLen]byte
	proto.PutHeaders(&head, from, to, src, dst, sport, dport, 1, len(payload))
	proto.FinishUDP(&head, payload, nil)
	w.Records = append(w.Records, pcap.Record{Data: append(head[:], payload...)})
}

func (w *wire) up(port, dport uint16, payload []byte) {
	w.frame(mac, proto.MAC{2, 0, 0, 0, 0, 1}, client, server, port, dport, payload)
}

func (w *wire) down(port uint16, payload []byte) {
	w.frame(proto.MAC{2, 0, 0, 0, 0, 1}, mac, server, client, 69, port, payload)
}

func (w *wire) request(port uint16, name string) {
	w.up(port, 69, tftp.AppendRequest(nil, tftp.OpRRQ, name, "octet"))
}

func (w *wire) data(port, block uint16, data []byte) {
	w.down(port, append(tftp.AppendHeader(nil, tftp.OpData, block), data...))
}

func (w *wire) ack(port, block uint16) { w.up(port, 69, tftp.AppendHeader(nil, tftp.OpAck, block)) }

func TestTransfersInACapture(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 64) // two blocks of 512, then an empty one
	full := func(w *wire, content []byte) {
		w.request(2000, "/a.efi")
		w.data(2000, 1, content[:512])
		w.ack(2000, 1)
		w.data(2000, 2, content[512:])
		w.ack(2000, 2)
		w.data(2000, 3, nil)
		w.ack(2000, 3)
	}
	cases := []struct {
		name string
		make func(w *wire)
		good int
		bad  string // in the error
	}{
		{"whole", func(w *wire) { full(w, content) }, 1, ""},
		{"twice from one port", func(w *wire) { full(w, content); full(w, content) }, 2, ""},
		{"block repeated", func(w *wire) {
			w.request(2000, "a.efi")
			w.request(2000, "a.efi")
			w.data(2000, 1, content[:512])
			w.data(2000, 1, content[:512])
			w.data(2000, 2, content[512:])
			w.data(2000, 3, nil)
			w.ack(2000, 3)
		}, 1, ""},
		{"options", func(w *wire) {
			w.request(2000, "a.efi")
			w.down(2000, tftp.AppendOption(tftp.AppendOpcode(nil, tftp.OpOack), []byte("blksize"), 1024))
			w.ack(2000, 0)
			w.data(2000, 1, content)
			w.data(2000, 2, nil)
			w.ack(2000, 2)
		}, 1, ""},
		{"wrong byte", func(w *wire) {
			other := bytes.Clone(content)
			other[700]++
			full(w, other)
		}, 0, "first difference at 700"},
		{"never confirmed", func(w *wire) { full(w, content); w.Records = w.Records[:len(w.Records)-1] }, 0, ""},
		{"broken off", func(w *wire) { w.request(2000, "a.efi"); w.data(2000, 1, content[:512]); w.ack(2000, 1) }, 0, ""},
		{"other file", func(w *wire) { w.request(2000, "b.efi"); w.data(2000, 1, nil); w.ack(2000, 1) }, 0, ""},
		{"nothing", func(*wire) {}, 0, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var w wire
			c.make(&w)
			good, err := examine(&w.Capture).got(mac, "a.efi", content)
			if good != c.good || (err == nil) != (c.bad == "") || err != nil && !strings.Contains(err.Error(), c.bad) {
				t.Errorf("%d good, error %v; want %d, %q", good, err, c.good, c.bad)
			}
		})
	}
}

func TestAddressesInACapture(t *testing.T) {
	reply := func(kind byte, addr proto.Addr) []byte {
		b := make([]byte, 300)
		b[0], b[1], b[2] = 2, 1, 6
		a := addr.Bytes()
		copy(b[16:20], a[:])
		copy(b[28:34], mac[:])
		copy(b[236:], []byte{99, 130, 83, 99, 53, 1, kind, 255})
		return b
	}
	const offer, ack = 2, 5
	var w wire
	w.frame(proto.MAC{2}, mac, server, client, 67, 68, reply(offer, client+1))
	w.frame(proto.MAC{2}, mac, server, client, 67, 68, reply(ack, client))
	w.frame(proto.MAC{2}, mac, server, client, 67, 68, reply(ack, client))
	got := examine(&w.Capture).addresses
	if len(got) != 1 || len(got[mac]) != 1 || got[mac][client] != 2 {
		t.Errorf("addresses %v, want %s twice for %s", got, client, mac)
	}
}

func TestSecondRunIsRefused(t *testing.T) {
	dir := t.TempDir() + "/boot"
	if err := claim(dir); err != nil {
		t.Fatal(err)
	}
	if err := claim(dir); err == nil || !strings.Contains(err.Error(), "--out") {
		t.Errorf("error %v, want one that says what to do", err)
	}
}

func TestParseMAC(t *testing.T) {
	for i := 1; i <= 4; i++ {
		if got := parseMAC(macOf(i)).String(); got != macOf(i) {
			t.Errorf("%s, want %s", got, macOf(i))
		}
	}
}

func TestConsoleLines(t *testing.T) {
	m := &machine{console: []byte("\x1b[2J\x1b[01;01HBdsDxe: loading\r\n\x1b[05;10HrEFInd - Main Menu\x1b[0m\r\n\r\nlast line")}
	if got := m.lastLines(2); got != "rEFInd - Main Menu\nlast line" {
		t.Errorf("%q", got)
	}
	if got := m.lastLines(10); !strings.HasPrefix(got, "BdsDxe: loading\n") {
		t.Errorf("%q", got)
	}
}

func (w *wire) capture() *pcap.Capture { return &w.Capture }

// addresses are the addresses in a text, each acknowledged once.
func addresses(text string) map[proto.Addr]int {
	m := map[proto.Addr]int{}
	for _, f := range strings.Fields(text) {
		m[proto.AddrFrom((*[4]byte)(net.ParseIP(f).To4()))] = 1
	}
	return m
}
