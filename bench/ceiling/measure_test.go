//go:build linux

package ceiling

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"bootstorm/engine/batch"
	"bootstorm/engine/link"
	"bootstorm/proto"
	"bootstorm/tools/lab"
)

func TestMain(m *testing.M) { lab.Main(m) }

// What is sent is what the daemon and its clients send: it parses, and every
// checksum is right.
func TestFramesParse(t *testing.T) {
	data := newBlocks(44)
	tx := batch.NewTx()
	single(tx.Next(), make([]byte, dataHeader+dataBlock))
	tx.Commit()
	data.run(tx.Next(), 44)
	tx.Commit()
	for name, c := range map[string]struct {
		frame   []byte
		port    uint16
		payload int
	}{
		"request": {request(proto.PortBOOTPServer, make([]byte, discoverLen)), proto.PortBOOTPServer, discoverLen},
		"single":  {tx.Messages[0].AppendFrame(nil, 0), peerPort, dataHeader + dataBlock},
		"first":   {tx.Messages[1].AppendFrame(nil, 0), peerPort, dataHeader + runBlock},
		"last":    {tx.Messages[1].AppendFrame(nil, 43), peerPort, dataHeader + runBlock},
	} {
		var p proto.Packet
		if d := proto.ParseFrame(&p, c.frame, true); d != proto.OK || p.DstPort != c.port || len(p.Payload) != c.payload {
			t.Errorf("%s: %v, port %d, %d bytes", name, d, p.DstPort, len(p.Payload))
		}
	}
	if tx.Messages[1].Frames() != 44 {
		t.Errorf("%d frames", tx.Messages[1].Frames())
	}
}

// Everything is measured for a moment: each line has frames, and no rung that
// this kernel has is missing.
func TestRun(t *testing.T) {
	var progress bytes.Buffer
	// Both ends on one core: the test must work on a machine with a single one.
	r, err := Run(context.Background(), Options{Rounds: 1, Each: 10 * time.Millisecond, Progress: &progress})
	if err != nil {
		t.Fatal(err)
	}
	if want := 2*len(receiveRungs) + len(sendRungs)*(1+len(runLengths)); len(r.Rates) != want || len(r.Echoes) != 2 {
		t.Fatalf("%d lines, want %d; %d echoes", len(r.Rates), want, len(r.Echoes))
	}
	for _, rate := range r.Rates {
		live := rate.What == "receive, live" // on one core the reader may have seen none of it
		if rate.Missing != "" || !live && (rate.Frames <= 0 || rate.PerCPU <= 0 || rate.Calls <= 0) {
			t.Errorf("%+v", rate)
		}
	}
	if strings.TrimSpace(progress.String()) != "round 1 of 1" {
		t.Errorf("progress %q", &progress)
	}
	var b bytes.Buffer
	r.WriteTable(&b)
	if !strings.Contains(b.String(), "run of 44") {
		t.Errorf("table:\n%s", &b)
	}
}

// A rung that does not work is a line that says so; an interrupt ends it all.
func TestRunTrouble(t *testing.T) {
	r, err := newRig(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if _, err := send(r, "nonsense", time.Millisecond, 0); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("error %v", err)
	}
	if _, err := receiveLive(r, link.Options{RX: "nonsense"}, time.Millisecond); err == nil {
		t.Error("no error for a receive rung that does not exist")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, Options{Rounds: 1, Each: time.Millisecond}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if err := onCore(1<<9, func() error { return nil }); err == nil {
		t.Error("no error for a core that does not exist")
	}
}

// The echo answers every frame, whether the server sleeps or polls.
func TestEcho(t *testing.T) {
	r, err := newRig(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	for _, spin := range []bool{false, true} {
		took, err := echo(r, 20*time.Millisecond, spin)
		if err != nil || len(took) == 0 {
			t.Fatalf("spin %v: %d turns, %v", spin, len(took), err)
		}
		for _, d := range took {
			if d <= 0 || d > echoPatience {
				t.Errorf("spin %v: a turn of %s", spin, d)
			}
		}
	}
}
