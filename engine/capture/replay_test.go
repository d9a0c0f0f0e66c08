package capture_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/engine/capture"
	"bootstorm/pcap"
)

// watched is an engine whose frames a ring remembers, as a worker's loop does.
type watched struct {
	pcap.Engine
	ring *capture.Ring
	mono int64
}

// Step hands a batch to the engine.
func (w *watched) Step(rx *batch.Rx, from int, tx *batch.Tx) int {
	w.mono = rx.Now.Mono
	for i := from; i < rx.N; i++ {
		w.ring.Received(&rx.Frames[i], w.mono)
	}
	before := tx.N
	next := w.Engine.Step(rx, from, tx)
	w.sent(tx, before)
	return next
}

// Tick lets time pass.
func (w *watched) Tick(now batch.Time, tx *batch.Tx) {
	w.mono = now.Mono
	before := tx.N
	w.Engine.Tick(now, tx)
	w.sent(tx, before)
}

// Durable releases acknowledgements.
func (w *watched) Durable(seq uint64, tx *batch.Tx) bool {
	before := tx.N
	more := w.Engine.Durable(seq, tx)
	w.sent(tx, before)
	return more
}

// sent remembers what was added to a batch.
func (w *watched) sent(tx *batch.Tx, from int) {
	for _, m := range tx.Messages[from:tx.N] {
		w.ring.Sent(m, w.mono)
	}
}

// What the ring saves replays without a difference: real firmware, iPXE and
// systems are answered by the core, which is watched, and what was remembered is
// replayed through another core.
func TestWhatIsSavedReplays(t *testing.T) {
	for _, name := range []string{"uefi-x64-guide.pcap", "uefi-x64-ipxe-rom-e1000.pcap", "bios-guide.pcap", "uefi-x64-three-at-once.pcap",
		"uefi-x64-atftpd-windowsize.pcap", "linux-dhclient.pcap", "tftp-hpa-client.pcap"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("..", "..", "pcap", "testdata", name)
			original, err := pcap.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			k, err := pcap.FindCase(path)
			if err != nil || k == nil {
				t.Fatal("not in the manifest:", err)
			}
			saved, first := save(t, original, k)
			again, _, err := k.Replay(saved, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range again.Differences {
				t.Errorf("frame %d: %s: %s: %s | now %s | then %s", d.Record, d.Request, d.Message, d.Field, d.Ours, d.Theirs)
			}
			if again.Fed < first.Fed || again.Answers == 0 && again.Transfers == 0 {
				t.Errorf("%d client frames were fed, then %d; %d answers, %d transfers", first.Fed, again.Fed, again.Answers, again.Transfers)
			}
		})
	}
}

// save replays a capture through a core that a ring watches, and reads back what
// the ring writes.
func save(t *testing.T, original *pcap.Capture, k *pcap.Case) (*pcap.Capture, *pcap.Result) {
	t.Helper()
	ring, file, err := capture.New(16 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	defer file.Close()
	ring.Clock(original.Records[0].Time, 0)
	s, err := pcap.Look(original, k.Server)
	if err != nil {
		t.Fatal(err)
	}
	o, _, err := pcap.Prepare(pcap.Site{Config: k.Config, Hosts: k.Hosts, Files: k.Files}, s)
	if err != nil {
		t.Fatal(err)
	}
	o.Capture = original
	o.Engine = &watched{Engine: o.Engine, ring: ring}
	first, err := pcap.Run(o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := capture.Open(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out bytes.Buffer
	if err := r.WritePCAPNG(&out, capture.Filter{}); err != nil {
		t.Fatal(err)
	}
	saved, err := pcap.Read(out.Bytes())
	if err != nil || len(saved.Warnings) > 0 {
		t.Fatal(err, saved.Warnings)
	}
	saved.Name = original.Name
	return saved, first
}
