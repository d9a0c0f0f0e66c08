package dissect_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"bootstorm/engine/view/dissect"
)

// frame is a frame of a capture, in which file contents are cut off.
type frame struct {
	data   []byte
	length int
}

// frames reads a capture of real clients and servers.
func frames(t testing.TB, name string) (list []frame) {
	t.Helper()
	b, err := os.ReadFile("../../../pcap/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := pcapgo.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for {
		data, info, err := r.ReadPacketData()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, frame{data, info.Length})
	}
}

// field returns the value of a field.
func field(p *dissect.Packet, name string) string {
	for _, f := range p.Fields {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// Every DHCP message of real clients says what gopacket reads in it.
func TestAgreesWithGopacket(t *testing.T) {
	words, messages, names := dissect.New(""), 0, map[string]string{"Discover": "DISCOVER", "Offer": "OFFER", "Request": "REQUEST", "Ack": "ACK", "Nak": "NAK", "Decline": "DECLINE", "Release": "RELEASE", "Inform": "INFORM"}
	for _, name := range []string{"uefi-x64-guide.pcap", "bios-guide.pcap", "linux-dhclient.pcap", "linux-decline.pcap", "uefi-x64-ipxe-rom-e1000.pcap"} {
		for i, f := range frames(t, name) {
			other, ok := gopacket.NewPacket(f.data, layers.LayerTypeEthernet, gopacket.Default).Layer(layers.LayerTypeDHCPv4).(*layers.DHCPv4)
			if !ok {
				continue
			}
			messages++
			p := words.Frame(f.data, f.length)
			kind := ""
			for _, o := range other.Options {
				if o.Type == layers.DHCPOptMessageType {
					kind = names[layers.DHCPMsgType(o.Data[0]).String()]
				}
				if o.Type == layers.DHCPOptEnd || o.Type == layers.DHCPOptPad {
					continue
				}
				found := false
				for _, field := range p.Fields {
					found = found || field.Code == fmt.Sprint(byte(o.Type)) && field.Name != ""
				}
				if !found {
					t.Errorf("%s, frame %d: option %d is missing", name, i+1, o.Type)
				}
			}
			if p.Protocol != "DHCP" || p.What != kind || !strings.HasPrefix(p.Text, fmt.Sprintf("xid %08x", other.Xid)) || !strings.HasPrefix(field(p, "chaddr"), other.ClientHWAddr.String()) {
				t.Errorf("%s, frame %d: %s %s %s, not %s of %v, xid %08x", name, i+1, p.Protocol, p.What, p.Text, kind, other.ClientHWAddr, other.Xid)
			}
		}
	}
	if messages < 30 {
		t.Errorf("only %d messages", messages)
	}
}

// A boot of UEFI firmware reads as what it is.
func TestBoot(t *testing.T) {
	words, seen := dissect.New(""), ""
	for _, f := range frames(t, "uefi-x64-guide.pcap") {
		p := words.Frame(f.data, f.length)
		if p.What != "DATA" && p.What != "ACK" || p.Protocol == "DHCP" {
			seen += fmt.Sprintf("%s %s %s\n", p.Protocol, p.What, p.Text)
		}
	}
	for _, want := range []string{"arch 7 (UEFI, 64 bits)", `vendor class "PXEClient:Arch:00007:UNDI:003`, `user class "iPXE"`, `TFTP RRQ "ipxe.efi" with `, "TFTP OACK grants ", "iPXE options: "} {
		if !strings.Contains(seen, want) {
			t.Errorf("%q is missing in\n%s", want, seen)
		}
	}
}

// What is left of a frame without its data still tells its block and its length.
func TestCutData(t *testing.T) {
	words := dissect.New("")
	for _, f := range frames(t, "uefi-x64-guide.pcap") {
		p := words.Frame(f.data, f.length)
		if p.What != "DATA" {
			continue
		}
		cut := words.Frame(f.data[:46], f.length)
		if cut.Text != p.Text || !strings.HasPrefix(cut.Text, "block 1, ") || cut.From != p.From {
			t.Errorf("%q, whole %q", cut.Text, p.Text)
		}
		return
	}
	t.Error("no DATA")
}

// No frame that a node makes up is unprintable or breaks anything.
func FuzzFrame(f *testing.F) {
	words := dissect.New("")
	for _, real := range frames(f, "bios-guide.pcap")[:12] {
		f.Add(real.data, uint16(real.length))
	}
	f.Fuzz(func(t *testing.T, data []byte, length uint16) {
		p := words.Frame(data, int(length))
		all := p.From + p.To + p.Text
		for _, x := range p.Fields {
			all += x.Code + x.Name + x.Value
		}
		if strings.ContainsFunc(all, func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Errorf("unprintable: %q", all)
		}
	})
}
