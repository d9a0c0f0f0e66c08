package engine

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bootstorm/proto"
)

// rrq is a read request of the node at 192.168.1.2 to the server's own address.
func rrq(mac proto.MAC, fields ...string) []byte {
	payload := []byte{0, 1}
	for _, f := range fields {
		payload = append(append(payload, f...), 0)
	}
	var head [proto.HeadersLen]byte
	proto.PutHeaders(&head, mac, proto.MAC{2, 0, 0, 0, 0, 1}, addr("192.168.1.2"), addr("192.168.1.1"), 2070, proto.PortTFTP, 1, len(payload))
	proto.FinishUDP(&head, payload, nil)
	return append(head[:], payload...)
}

// TestTFTPLimits grants no larger window than the operator allows, and names a
// boot file that does not fit into the memory for files.
func TestTFTPLimits(t *testing.T) {
	n := newNetwork()
	s := serve(t, n, guideText, func(c *Config) {
		c.WindowMax, c.Memory = 8, 1<<20
		for name, size := range map[string]int{"small.bin": 100, "large.bin": 2 << 20} {
			if err := os.WriteFile(filepath.Join(c.Root, name), make([]byte, size), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	})
	s.said("boot files: 1 file, 100 B of at most 1.0 MB, from ")
	s.said("large.bin: ")
	s.said("ready: ")
	n.sock().deliver(rrq(nodeMAC(1), "small.bin", "octet", "windowsize", "16"))
	want := []byte("\x00\x06windowsize\x008\x00")
	var got []byte
	for end := time.Now().Add(20 * time.Second); got == nil && time.Now().Before(end); time.Sleep(time.Millisecond) {
		got = n.sock().popFrom(proto.PortTFTP)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("answered %q, want %q", got, want)
	}
}
