package proto

import (
	"net"
	"net/netip"
	"testing"
)

func TestAddrAgreesWithNetip(t *testing.T) {
	for _, text := range []string{"0.0.0.0", "1.2.3.4", "9.10.99.100", "192.168.1.2", "105.200.250.199", "255.255.255.255"} {
		want := netip.MustParseAddr(text).As4()
		a := AddrFrom(&want)
		if a.String() != text {
			t.Errorf("%s is written as %s", text, a)
		}
		if a.Bytes() != want {
			t.Errorf("%s: bytes %v, want %v", text, a.Bytes(), want)
		}
		if AddrOf(want[0], want[1], want[2], want[3]) != a {
			t.Errorf("%s: AddrOf differs from AddrFrom", text)
		}
	}
}

// Every value of a byte is written as strconv would.
func TestAddrWritesEveryByte(t *testing.T) {
	for v := range 256 {
		b := [4]byte{byte(v), 0, byte(v), byte(255 - v)}
		if got, want := AddrFrom(&b).String(), netip.AddrFrom4(b).String(); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

func TestMACAgreesWithNet(t *testing.T) {
	for _, text := range []string{"00:00:00:00:00:00", "52:54:00:12:34:01", "ff:ff:ff:ff:ff:ff", "a0:b1:c2:d3:e4:f5"} {
		hw, err := net.ParseMAC(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := MAC(hw).String(); got != text {
			t.Errorf("got %s, want %s", got, text)
		}
	}
}

// Addresses are numbers, so that a range is an interval.
func TestAddrOrder(t *testing.T) {
	if !(AddrOf(10, 0, 0, 255) < AddrOf(10, 0, 1, 0)) || AddrOf(10, 0, 0, 255)+1 != AddrOf(10, 0, 1, 0) {
		t.Error("the successor of 10.0.0.255 is not 10.0.1.0")
	}
	if Limited != AddrOf(255, 255, 255, 255) {
		t.Error("Limited is not 255.255.255.255")
	}
}
