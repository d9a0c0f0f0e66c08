package transfer

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/image"
	"bootstorm/proto"
)

// filledFor gives a node its own f and a g that cannot be filled in.
func filledFor(r *rig, mac proto.MAC, data []byte) {
	r.table.SetRendered(image.NewRendered([]*image.Node{{Addr: r.src.Src, MAC: mac, Files: []image.File{
		{Name: "f", Data: data, NetasciiSize: image.NetasciiSize(data)}, {Name: "g", Template: true}}}}))
}

// TestFilled gives a node its own file, in its own size; silence before it is
// there, and an ERROR if it never will be.
func TestFilled(t *testing.T) {
	r := newRig(t, Config{}, image.File{Name: "f", Data: pattern(3000), Template: true}, image.File{Name: "g", Data: pattern(9), Template: true})
	r.want("before it is filled in", r.recv(rrq("F", "octet", "tsize=0")), "")
	if e := r.last(); e.Kind != batch.EventFull || e.Reason != batch.ReasonNotFilled || e.Addr != r.src.Src || e.Name[0] != 'f' || e.Name[1] != 0 {
		t.Errorf("%+v", e)
	}
	filledFor(r, r.src.SrcMAC, []byte("a\nb\n"))
	r.want("size probe", r.recv(rrq("f", "octet", "tsize=0")), "OACK tsize=4")
	r.want("end of the probe", r.recv(errorPacket(8)), "")
	r.want("netascii", r.recv(rrq("f", "netascii", "tsize=0")), "OACK tsize=6")
	r.want("data in netascii", r.ack(0), "DATA 1:6")
	r.ack(1)
	r.want("one that cannot be filled in", r.recv(rrq("g", "octet")), "ERROR 1")
	if e := r.last(); e.Kind != batch.EventNotFound || e.Reason != batch.ReasonNotFilled {
		t.Errorf("%+v", e)
	}
	r.src.SrcMAC[5]++
	r.want("another node that uses its address", r.recv(rrq("f", "octet")), "")
	filledFor(r, proto.MAC{}, []byte("abc"))
	r.want("any hardware address", r.recv(rrq("f", "octet")), "DATA 1:3")
	if c := r.table.Counters(); c.Unfilled != 2 || c.NotFound != 1 || c.Started != 3 || c.Probes != 1 {
		t.Errorf("%+v", c)
	}
}

// TestFilledChanges finishes a transfer on the file that it began with.
func TestFilledChanges(t *testing.T) {
	r := newRig(t, Config{}, image.File{Name: "f", Template: true})
	filledFor(r, r.src.SrcMAC, pattern(1000))
	r.want("first block", r.recv(rrq("f", "octet")), "DATA 1:512")
	filledFor(r, r.src.SrcMAC, []byte("new"))
	r.table.SetFiles(image.Build(2, "", nil))
	r.want("second block", r.ack(1), "DATA 2:488")
	r.ack(2)
	for i := range r.table.own {
		if r.table.own[i] != nil {
			t.Error("a file is kept that nobody reads any more")
		}
	}
	if r.table.Active() != 0 {
		t.Error("the transfer has not ended")
	}
}

func TestFilledDoesNotAllocate(t *testing.T) {
	r := newRig(t, Config{Transfers: 64}, image.File{Name: "f", Template: true}, image.File{Name: "g", Template: true})
	filledFor(r, r.src.SrcMAC, pattern(1000))
	p, other := r.src, r.src
	other.Src++
	kinds := [][]byte{rrq("f", "octet", "tsize=0"), ack(0), ack(1), ack(2), rrq("g", "octet"), rrq("f", "netascii"), ack(1), ack(2), ack(3)}
	if n := testing.AllocsPerRun(1, func() {
		for i := range 20_000 {
			p.Payload, other.Payload = kinds[i%len(kinds)], kinds[0]
			r.table.Receive(r.now, &p, 0, Stranger, r.tx, &r.ev)
			r.table.Receive(r.now, &other, 0, Stranger, r.tx, &r.ev)
			r.table.Fill(r.now, r.tx, &r.ev)
			r.tx.Sent(r.tx.N)
			r.ev.Reset()
			r.now += batch.Millisecond
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if c := r.table.Counters(); c.Done == 0 || c.Unfilled == 0 || c.NotFound == 0 {
		t.Errorf("%+v", c)
	}
}
