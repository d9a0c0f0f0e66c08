package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"bootstorm/cmd/bootstorm/api/apitest"
	"bootstorm/engine/batch"
	"bootstorm/engine/capture"
	"bootstorm/pcap"
)

// ringFile is what a daemon would send: the frames of a ring, as many as that.
func ringFile(t *testing.T, frames int) []byte {
	t.Helper()
	ring, f, err := capture.New(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	defer ring.Close()
	ring.Clock(time.Date(2026, 3, 14, 11, 3, 0, 0, time.Local).UnixNano(), 0)
	for i := range frames {
		ring.Received(&batch.Frame{Data: make([]byte, 60+i), Checksum: true}, int64(i)*batch.Second/2)
	}
	r, err := capture.Open(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b bytes.Buffer
	if err := r.WritePCAPNG(&b, capture.Filter{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The file comes through as it is, and what it holds is said beside it.
func TestCaptureIsSaved(t *testing.T) {
	for _, c := range []struct {
		frames int
		args   []string
		say    string
	}{
		{251, nil, "251 frames, from 2026-03-14 11:03:00 to 11:05:05 (2 min 5 s)\n"},
		{251, []string{"--node", "rack01-node18"}, "251 frames of rack01-node18, from 2026-03-14 11:03:00 to 11:05:05 (2 min 5 s)\n"},
		{0, []string{"--node", "52:54:00:12:00:11"}, "no frames of 52:54:00:12:00:11: "},
	} {
		dir, body := t.TempDir(), ringFile(t, c.frames)
		site := apitest.New(100)
		site.Set(apitest.PowerOn() + time.Minute)
		s, err := apitest.Start(site, dir, "bond0")
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		s.Body = body
		status, out, errs := call(append([]string{"capture", "--run-dir", dir}, c.args...)...)
		if status != 0 || out != string(body) || !strings.HasPrefix(errs, c.say) {
			t.Errorf("%v: status %d, %d of %d bytes, %q", c.args, status, len(out), len(body), errs)
		}
		if got, err := pcap.Read([]byte(out)); err != nil || len(got.Records) != c.frames {
			t.Errorf("%v: %v, the file does not hold %d frames", c.args, err, c.frames)
		}
	}
}

func TestCaptureOfNobody(t *testing.T) {
	status, out, errs := call("capture", "--run-dir", startFake(t, 10, time.Minute), "--node", "nobody")
	if status != exitFailed || out != "" || !strings.Contains(errs, "no such node: nobody") {
		t.Errorf("status %d, %q, %q", status, out, errs)
	}
	status, out, errs = call("capture", "--run-dir", t.TempDir())
	if status != exitFailed || out != "" || !strings.Contains(errs, "no daemon runs here") {
		t.Errorf("status %d, %q, %q", status, out, errs)
	}
}
