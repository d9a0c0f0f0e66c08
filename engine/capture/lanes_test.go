package capture

import (
	"bytes"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto"
)

// newLanes makes lanes and their readers.
func newLanes(t testing.TB, size int) (*Lanes, []*Reader) {
	t.Helper()
	files, err := PrepareLanes(size)
	if err != nil {
		t.Fatal(err)
	}
	l, err := AdoptLanes(files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var readers []*Reader
	for _, f := range files {
		r, err := Open(int(f.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		t.Cleanup(func() { r.Close() })
		readers = append(readers, r)
	}
	l.Name(0, "bond0")
	l.Clock(wall, 0)
	return l, readers
}

// What a node asked is there after a thousand files, whose frames have long taken
// each other's places, and stands before them in time.
func TestQuestionsOutliveFiles(t *testing.T) {
	l, readers := newLanes(t, 1<<20)
	tftp := func(payload ...byte) *batch.Frame {
		return &batch.Frame{Data: datagram(nodeMAC, serverMAC, nodeIP, serverIP, 1025, proto.PortTFTP, payload), Checksum: true}
	}
	l.Received(&batch.Frame{Data: dhcp(nodeMAC, proto.MAC{255, 255, 255, 255, 255, 255}, 0, proto.Limited, nodeMAC, 0), Checksum: true}, 1)
	l.Sent(single(dhcp(serverMAC, nodeMAC, serverIP, nodeIP, nodeMAC, nodeIP)), 2)
	l.Received(tftp(0, 1, 'x', 0, 'o', 'c', 't', 'e', 't', 0), 3)
	for i := range 100_000 {
		l.Sent(run(1, 4, 1468, 4*1468), int64(4+2*i))
		l.Received(tftp(0, 4, 0, 4), int64(5+2*i))
	}
	l.Received(tftp(0, 5, 0, 8, 0), 1<<40)

	var b bytes.Buffer
	if _, err := WritePCAPNG(&b, readers, Filter{MAC: nodeMAC}); err != nil {
		t.Fatal(err)
	}
	list := packets(t, b.Bytes())
	if len(list) < 1000 || len(list) > 100_000 {
		t.Fatalf("%d frames", len(list))
	}
	port := func(i, at int) int { return int(list[i].data[at])<<8 | int(list[i].data[at+1]) }
	if port(0, 34) != proto.PortBOOTPServer || list[0].outbound || port(1, 34) != proto.PortBOOTPServer || !list[1].outbound || port(2, 36) != proto.PortTFTP || list[2].data[43] != 1 {
		t.Error("the first three frames are not DISCOVER, OFFER and RRQ")
	}
	if last := list[len(list)-1]; last.data[43] != 5 {
		t.Errorf("the last frame is not the ERROR: opcode %d", last.data[43])
	}
}

// Without memory nothing is remembered, and nothing fails.
func TestNoLanes(t *testing.T) {
	var l *Lanes
	l.Name(0, "bond0")
	l.Clock(wall, 0)
	l.Received(&batch.Frame{Data: []byte{1}}, 1)
	l.Sent(single([]byte{1}), 2)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
