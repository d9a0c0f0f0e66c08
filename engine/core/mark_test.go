package core

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/image"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
	"bootstorm/proto/tftp"
	"bootstorm/tools/allocs"
)

// markWorld serves the guide and two files to mark nodes with.
func markWorld(t testing.TB) *world {
	c := smallConfig(buildPlan(t, guide))
	c.Files = markFiles()
	return worldOf(t, c)
}

func markFiles() *image.Set {
	return image.Build(1, "/srv/tftp", []image.File{{Name: "ipxe.efi", Data: make([]byte, 700)}, {Name: "refind.pxe", Data: []byte("#!ipxe\n")},
		{Name: "memtest.efi", Data: make([]byte, 1200)}, {Name: "rescue.ipxe", Data: []byte("#!ipxe\nexit\n")}})
}

// markOf makes a mark.
func markOf(n byte, seq uint32, file string, script bool) Mark {
	m := Mark{HW: dhcp.HW{Type: 1, Len: 6}, Seq: seq, Script: script}
	hw := mac(n)
	copy(m.HW.Addr[:], hw[:])
	m.Len = uint8(copy(m.Name[:], file))
	return m
}

// tftp sends a datagram from a machine's port 2000, by way of a hardware address,
// and throws the answers away.
func (w *world) tftp(from proto.MAC, a proto.Addr, payload []byte) {
	f := make([]byte, proto.HeadersLen, 600)
	proto.PutHeaders((*[proto.HeadersLen]byte)(f), from, serverMAC, a, serverAddr, 2000, 69, 1, len(payload))
	f = append(f, payload...)
	proto.FinishUDP((*[proto.HeadersLen]byte)(f), payload, nil)
	w.rx.Now, w.rx.N = w.now, 1
	w.rx.Frames[0] = batch.Frame{Data: f, Checksum: true}
	w.core.Step(w.rx, 0, w.tx)
	w.core.Tick(w.now, w.tx)
	w.tx.Sent(w.tx.N)
	w.core.Events().Reset()
}

// fetch reads a file of less than blocks*512 bytes.
func (w *world) fetch(from proto.MAC, a proto.Addr, name string, blocks byte) {
	w.tftp(from, a, tftp.AppendRequest(nil, tftp.OpRRQ, name, "octet"))
	for i := range blocks {
		w.tftp(from, a, []byte{0, 4, 0, i + 1})
	}
}

// told is the boot file of the machine's OFFER and ACK.
func (w *world) told(m msg) string {
	w.t.Helper()
	o := w.ask(m)
	if o == nil {
		w.t.Fatal("no offer")
	}
	a := w.want(m.selecting(o.yiaddr), dhcp.Ack, o.yiaddr)
	if o.file() != a.file() || a.h.SIAddr() != serverAddr {
		w.t.Errorf("offered %q, acknowledged %q from %v", o.file(), a.file(), a.h.SIAddr())
	}
	return a.file()
}

// A program is what the firmware gets, a script what iPXE gets; the firmware of a
// node that is marked for a script gets its iPXE as ever.
func TestMarkedFileAtItsStage(t *testing.T) {
	w := markWorld(t)
	w.core.SetMarks([]Mark{markOf(1, 1, "memtest.efi", false), markOf(2, 2, "rescue.ipxe", true)})
	for _, c := range []struct {
		m    msg
		file string
	}{
		{machine(1).firmware(), "memtest.efi"}, {machine(1).ipxe(), "memtest.efi"},
		{machine(2).firmware(), "ipxe.efi"}, {machine(2).ipxe(), "rescue.ipxe"},
		{machine(3).firmware(), "ipxe.efi"}, {machine(3).ipxe(), "refind.pxe"}, // not marked
		{machine(1).system(), ""}, // an installed system is told what it always is
	} {
		if got := w.told(c.m); got != c.file {
			t.Errorf("%v is told %q, want %q", c.m.mac, got, c.file)
		}
	}
}

// A mark is used up when the file has arrived, and not before: a node that dies in
// between gets it again.
func TestMarkIsUsedUpWhenTheFileHasArrived(t *testing.T) {
	w := markWorld(t)
	w.core.SetMarks([]Mark{markOf(1, 7, "memtest.efi", false), markOf(2, 7, "memtest.efi", false), markOf(3, 8, "memtest.efi", false)})
	a := w.lease(machine(1).firmware())
	w.fetch(mac(1), a, "memtest.efi", 2) // 1,200 bytes are three blocks
	if got := w.told(machine(1).firmware()); got != "memtest.efi" {
		t.Fatalf("told %q after a transfer that broke off", got)
	}
	w.fetch(mac(1), a, "refind.pxe", 1) // another file uses nothing up
	if got := w.told(machine(1).firmware()); got != "memtest.efi" {
		t.Fatalf("told %q after another file", got)
	}
	w.fetch(mac(1), a, "MEMTEST.EFI", 3)
	for _, n := range []byte{1, 2} { // both addresses of the machine
		if got := w.told(machine(n).firmware()); got != "ipxe.efi" {
			t.Errorf("machine %d is told %q after it had its file", n, got)
		}
	}
	if got := w.told(machine(3).firmware()); got != "memtest.efi" {
		t.Errorf("another order is told %q", got)
	}
	// Set again with the same orders, as when another is added, it stays used up.
	w.core.SetMarks([]Mark{markOf(1, 7, "memtest.efi", false), markOf(4, 9, "memtest.efi", false)})
	if got := w.told(machine(1).firmware()); got != "ipxe.efi" {
		t.Errorf("told %q after the marks were set again", got)
	}
	var done []bool
	w.core.EachMark(func(m *Mark) { done = append(done, m.Done) })
	if len(done) != 2 || !done[0] || done[1] {
		t.Errorf("used up: %v", done)
	}
	// A new order for the same machine is another matter.
	w.core.SetMarks([]Mark{markOf(1, 10, "memtest.efi", false)})
	if got := w.told(machine(1).firmware()); got != "memtest.efi" {
		t.Errorf("a new order: told %q", got)
	}
}

// Behind a relay the transfer bears the router's hardware address; the address
// that was leased says whose it is. A full batch of events changes nothing.
func TestMarkOfARelayedNodeIsUsedUp(t *testing.T) {
	w := markWorld(t)
	w.core.SetMarks([]Mark{markOf(1, 1, "memtest.efi", false)})
	a := w.lease(machine(1).firmware())
	for range batch.EventCap + 5 {
		w.core.Events().Add(batch.EventLog, 1)
	}
	f := w.core.events.N
	w.fetch(relayMAC, a, "memtest.efi", 3)
	if got := w.told(machine(1).firmware()); got != "ipxe.efi" || f != batch.EventCap-1 {
		t.Errorf("told %q, %d events", got, f)
	}
}

// A file that is not there any more is not named: the node boots as configured.
func TestMarkOfAFileThatIsGone(t *testing.T) {
	w := markWorld(t)
	w.core.SetMarks([]Mark{markOf(1, 1, "memtest.efi", false)})
	w.core.SetFiles(image.Build(2, "/srv/tftp", []image.File{{Name: "ipxe.efi"}}))
	if got := w.told(machine(1).firmware()); got != "ipxe.efi" {
		t.Errorf("told %q", got)
	}
	w.core.SetFiles(markFiles())
	if got := w.told(machine(1).firmware()); got != "memtest.efi" {
		t.Errorf("told %q after the file came back", got)
	}
}

// Marks live through a reload.
func TestMarksSurviveReplace(t *testing.T) {
	w := markWorld(t)
	w.core.SetMarks([]Mark{markOf(1, 1, "memtest.efi", false)})
	c := smallConfig(buildPlan(t, guide))
	c.Files = markFiles()
	next := New(c)
	w.core.Replace(w.now, next)
	w.core = next
	if got := w.told(machine(1).firmware()); got != "memtest.efi" {
		t.Errorf("told %q", got)
	}
	w.core.SetMarks(nil)
	if got := w.told(machine(1).firmware()); got != "ipxe.efi" {
		t.Errorf("told %q after the marks were taken back", got)
	}
}

// The table is full at its limit, each is found, and what exceeds it is left out.
func TestTableOfMarks(t *testing.T) {
	w := markWorld(t)
	var list []Mark
	for i := range MarksMost + 10 {
		m := markOf(0, uint32(i), "memtest.efi", false)
		m.HW.Addr[3], m.HW.Addr[4] = byte(i>>8), byte(i)
		list = append(list, m)
	}
	w.core.SetMarks(append(list, list[0]))
	for i := range list {
		if found := w.core.marks.find(&list[i].HW) != nil; found != (i < MarksMost) {
			t.Fatalf("mark %d found: %v", i, found)
		}
	}
	for i := range list[:MarksMost] {
		w.core.marks.done(list[i].Seq)
		if w.core.marks.find(&list[i].HW) != nil || w.core.marks.live != MarksMost-1-i {
			t.Fatalf("mark %d is still there, %d are live", i, w.core.marks.live)
		}
	}
}

// Explain says where the name comes from, and changes nothing.
func TestExplainNamesTheMark(t *testing.T) {
	w := markWorld(t)
	w.core.SetMarks([]Mark{markOf(1, 1, "memtest.efi", false)})
	x := w.core.Explain(machine(1).firmware().frame(), 0, w.now)
	if !x.Marked || zeroTerminated(dhcp.View(x.Frame[proto.HeadersLen:]).File()[:]) != "memtest.efi" {
		t.Errorf("%+v", x)
	}
	if x = w.core.Explain(machine(2).firmware().frame(), 0, w.now); x.Marked {
		t.Error("a node that is not marked is explained by a mark")
	}
}

// Marks cost no memory per frame.
func TestNoAllocationForMarks(t *testing.T) {
	w := markWorld(t)
	list := []Mark{markOf(1, 1, "memtest.efi", false), markOf(2, 2, "rescue.ipxe", true)}
	w.core.SetMarks(list)
	frames := [][]byte{machine(1).firmware().frame(), machine(2).ipxe().frame(), machine(3).ipxe().frame(), rrqFrame(mac(1))}
	if n := allocs.Of(func() { w.turn(frames, 1000); w.core.SetMarks(list) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
