//go:build linux

package peers

import (
	"bytes"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"bootstorm/proto/dhcp"
)

// A bare answer is one that perfdhcp accepts: of the right type, with the xid and
// the hardware address of the request, and with an address.
func TestBareAnswer(t *testing.T) {
	for asked, want := range map[layers.DHCPMsgType]layers.DHCPMsgType{
		layers.DHCPMsgTypeDiscover: layers.DHCPMsgTypeOffer, layers.DHCPMsgTypeRequest: layers.DHCPMsgTypeAck,
	} {
		q := &layers.DHCPv4{Operation: layers.DHCPOpRequest, HardwareType: layers.LinkTypeEthernet, HardwareLen: 6, Xid: 77,
			RelayAgentIP: []byte{192, 168, 1, 2}, ClientHWAddr: []byte{2, 0, 0, 0, 7, 9},
			Options: layers.DHCPOptions{layers.NewDHCPOption(layers.DHCPOptMessageType, []byte{byte(asked)})}}
		b := gopacket.NewSerializeBuffer()
		if err := q.SerializeTo(b, gopacket.SerializeOptions{FixLengths: true}); err != nil {
			t.Fatal(err)
		}
		var o dhcp.Options
		if !o.Parse(b.Bytes()) {
			t.Fatal("the request is not understood")
		}
		answer, to := bareAnswer(make([]byte, 1500), b.Bytes(), &o)
		var a layers.DHCPv4
		if err := a.DecodeFromBytes(answer, gopacket.NilDecodeFeedback); err != nil {
			t.Fatal(err)
		}
		if to.String() != "192.168.1.2:67" || a.Operation != layers.DHCPOpReply || a.Xid != 77 || !bytes.Equal(a.ClientHWAddr, q.ClientHWAddr) ||
			a.YourClientIP.String() != "192.168.7.9" || a.Options[0].Data[0] != byte(want) {
			t.Errorf("answer to %v: %v, to %v", asked, a, to)
		}
	}
}
