package core

import (
	"testing"

	"bootstorm/engine/batch"
	"bootstorm/proto/tftp"
)

// A machine that was reset asks for an address, and what it read before ends with
// that; a copy of the message, while it reads, ends nothing.
func TestDiscoverEndsWhatTheMachineRead(t *testing.T) {
	w := markWorld(t)
	a := w.lease(machine(1).firmware())
	w.tftp(mac(1), a, tftp.AppendRequest(nil, tftp.OpRRQ, "ipxe.efi", "octet"))
	w.load(machine(1).firmware().frame())
	if n := w.core.Transfers().Active(); n != 1 {
		t.Fatalf("%d transfers after a copy of the DISCOVER", n)
	}
	w.now.Mono += 3 * batch.Second
	w.load(machine(2).firmware().frame())
	if n := w.core.Transfers().Active(); n != 1 {
		t.Fatalf("%d transfers after another machine's DISCOVER", n)
	}
	w.load(machine(1).firmware().frame())
	if n := w.core.Transfers().Active(); n != 0 {
		t.Errorf("%d transfers after its own", n)
	}
}
