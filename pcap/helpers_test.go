package pcap

import (
	"bytes"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/plan"
	"bootstorm/proto"
)

var (
	serverMAC = proto.MAC{2, 0, 0, 0, 0, 1}
	clientMAC = proto.MAC{0x52, 0x54, 0, 0x12, 0x34, 1}
	server    = Server{MAC: serverMAC, Addr: proto.AddrOf(192, 168, 1, 1), Mask: 0xfffffff0}
	client    = proto.AddrOf(192, 168, 1, 2)
)

// udpFrame makes a complete Ethernet frame with valid checksums.
func udpFrame(src, dst proto.MAC, from, to endpoint, payload []byte) []byte {
	b := make([]byte, proto.HeadersLen+len(payload))
	copy(b[proto.HeadersLen:], payload)
	h := (*[proto.HeadersLen]byte)(b)
	proto.PutHeaders(h, src, dst, from.addr, to.addr, from.port, to.port, 7, len(payload))
	proto.FinishUDP(h, payload, nil)
	return b
}

// fromClient is a frame of the client to the server's port.
func fromClient(port uint16, payload []byte) []byte {
	return udpFrame(clientMAC, serverMAC, endpoint{client, 2000}, endpoint{server.Addr, port}, payload)
}

// fromServer is an answer of the captured server from that port.
func fromServer(port uint16, payload []byte) []byte {
	return udpFrame(serverMAC, clientMAC, endpoint{server.Addr, port}, endpoint{client, 2000}, payload)
}

// conversation makes a capture of frames that are a millisecond apart.
func conversation(frames ...[]byte) *Capture {
	c := &Capture{Name: "made.pcap"}
	for i, f := range frames {
		c.Records = append(c.Records, Record{Time: 1_700_000_000*batch.Second + int64(i)*batch.Millisecond, Data: f, Length: len(f)})
	}
	return c
}

// testdata reads a capture of the repository.
func testdata(t *testing.T, name string) *Capture {
	t.Helper()
	c, err := ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) > 0 {
		t.Fatalf("%s: %v", name, c.Warnings)
	}
	return c
}

// captures lists the capture files of the repository.
func captures(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.pcap*"))
	if err != nil || len(files) < 37 {
		t.Fatalf("%d captures in testdata, %v", len(files), err)
	}
	for _, f := range files {
		names = append(names, filepath.Base(f))
	}
	return names
}

// echo is an engine that sends exactly what the captured server sent, a
// nanosecond after it, from port 69. A replay against it has no difference,
// except for those that change makes on purpose.
type echo struct {
	c      *Capture
	s      *Survey
	at     int
	leases batch.Leases
	events batch.Events
	change func(record int, frame []byte) []byte // nil result: not sent
}

func (e *echo) Step(_ *batch.Rx, from int, _ *batch.Tx) int { return from + 1 }
func (e *echo) Durable(uint64, *batch.Tx) bool              { return false }
func (e *echo) Leases() *batch.Leases                       { return &e.leases }
func (e *echo) Events() *batch.Events                       { return &e.events }

func (e *echo) Deadline() int64 {
	for ; e.at < len(e.c.Records); e.at++ {
		if e.answers(e.at) {
			return e.c.Records[e.at].Time - e.s.start + lead + 1
		}
	}
	return math.MaxInt64
}

// answers tells whether a record is an answer of the server that is compared.
func (e *echo) answers(i int) bool {
	b := e.c.Records[i].Data
	v := look(b)
	return srcMAC(b) == e.s.Server.MAC && v.udp() && (e.s.at[i] != nil || e.s.ports[v.srcPort])
}

func (e *echo) Tick(_ batch.Time, tx *batch.Tx) {
	e.Deadline()
	r := &e.c.Records[e.at]
	e.at++
	v := look(r.Data)
	payload := make([]byte, v.length)
	copy(payload, v.body(r.Data))
	port := v.srcPort
	if e.s.ports[port] {
		port = proto.PortTFTP
	}
	b := udpFrame(srcMAC(r.Data), dstMAC(r.Data), endpoint{v.src, port}, endpoint{v.dst, v.dstPort}, payload)
	if e.change != nil {
		if b = e.change(e.at-1, b); b == nil {
			return
		}
	}
	put(tx, b)
}

// put adds a frame to a batch; a large one travels as a run of one block.
func put(tx *batch.Tx, b []byte) {
	m := tx.Next()
	m.HeadLen = copy(m.Head[:], b)
	if len(b) > batch.HeadCap {
		m.Heads, m.Data = b[proto.HeadersLen:proto.HeadersLen+4], b[proto.HeadersLen+4:]
		m.Segments, m.Size = 1, uint16(len(m.Data))
	}
	tx.Commit()
}

// replayEcho replays a capture against its own server's answers.
func replayEcho(t *testing.T, c *Capture, change func(int, []byte) []byte) *Result {
	t.Helper()
	s, err := Look(c, server)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(Options{Capture: c, Survey: s, Engine: &echo{c: c, s: s, change: change},
		Link: plan.Link{Name: "replay", MAC: s.Server.MAC, MTU: 1500, Addrs: []plan.LinkAddr{{Addr: s.Server.Addr, Mask: s.Server.Mask}}}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// lines renders differences, one each, for comparison with what is wanted.
func lines(list []Difference) string {
	var b strings.Builder
	for _, d := range list {
		b.WriteString(strings.Join([]string{d.Message, d.Field, d.Ours, d.Theirs}, " | ") + "\n")
	}
	return b.String()
}

// equalRecords compares two captures frame by frame.
func equalRecords(a, b *Capture) bool {
	if len(a.Records) != len(b.Records) {
		return false
	}
	for i := range a.Records {
		x, y := &a.Records[i], &b.Records[i]
		if x.Time != y.Time || x.Length != y.Length || !bytes.Equal(x.Data, y.Data) {
			return false
		}
	}
	return true
}
