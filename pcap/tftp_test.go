package pcap

import (
	"reflect"
	"testing"
)

func TestParseTFTP(t *testing.T) {
	for _, k := range []struct {
		name, in string
		length   int
		want     tftpPacket
		text     string
	}{
		{"request with options", "\x00\x01ipxe.efi\x00octet\x00tsize\x000\x00blksize\x001468\x00", 0,
			tftpPacket{op: 1, name: "ipxe.efi", mode: "octet", options: []Field{{"tsize", "0"}, {"blksize", "1468"}}}, "RRQ ipxe.efi octet tsize=0 blksize=1468"},
		{"write request", "\x00\x02up.txt\x00octet\x00", 0, tftpPacket{op: 2, name: "up.txt", mode: "octet"}, "WRQ up.txt octet"},
		{"request without a mode", "\x00\x01refind.conf", 0, tftpPacket{op: 1, name: "refind.conf"}, `RRQ refind.conf ""`},
		{"request without anything", "\x00\x01", 0, tftpPacket{op: 1}, `RRQ "" ""`},
		{"option without a value", "\x00\x01a\x00octet\x00blksize\x00", 0, tftpPacket{op: 1, name: "a", mode: "octet"}, "RRQ a octet"},
		{"long name, odd bytes", "\x00\x01" + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x00a|b\n\x00", 0,
			tftpPacket{op: 1, name: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", mode: "a|b\n"}, `RRQ aaaaaaaaaaaaaaaaaaaa… "a\x7cb\n"`},
		{"block of which the header was captured", "\x00\x03\x00\x07", 516, tftpPacket{op: 3, block: 7, code: 7, length: 512, data: []byte{}}, "DATA 7"},
		{"acknowledgement", "\x00\x04\xff\xff", 4, tftpPacket{op: 4, block: 65535, code: 65535}, "ACK 65535"},
		{"error", "\x00\x05\x00\x01File not found\x00", 0, tftpPacket{op: 5, block: 1, code: 1, text: "File not found"}, `ERROR 1 "File not found"`},
		{"option acknowledgement", "\x00\x06blksize\x001024\x00", 0, tftpPacket{op: 6, options: []Field{{"blksize", "1024"}}}, "opcode 6"},
		{"unknown opcode", "\x00\xff\x00\x01abc", 0, tftpPacket{op: 255, block: 1, code: 1}, "opcode 255"},
	} {
		t.Run(k.name, func(t *testing.T) {
			got, ok := parseTFTP([]byte(k.in), k.length)
			if !ok || !reflect.DeepEqual(got, k.want) {
				t.Errorf("got %+v %v, want %+v", got, ok, k.want)
			}
			if s := got.describe(); s != k.text {
				t.Errorf("described as %s, want %s", s, k.text)
			}
		})
	}
	for _, short := range []string{"", "\x00", "\x00\x03", "\x00\x04\x00", "\x00\x05\x00"} {
		if _, ok := parseTFTP([]byte(short), len(short)); ok {
			t.Errorf("%q passes as a packet", short)
		}
	}
}

func TestOption(t *testing.T) {
	p := tftpPacket{options: []Field{{"BLKSIZE", "1024"}, {"blksize", "512"}}}
	if v, ok := p.option("blksize"); !ok || v != "1024" {
		t.Errorf("blksize %q %v, want the first, whatever its case", v, ok)
	}
	if _, ok := p.option("tsize"); ok {
		t.Error("an option that is not there was found")
	}
}

func TestNumber(t *testing.T) {
	for in, want := range map[string]int64{"0": 0, "1468": 1468, "": -1, "1468x": -1, "-1": -1, " 5": -1, "99999999999999999999999": -1} {
		if got := number(in, -1); got != want {
			t.Errorf("%q reads as %d, want %d", in, got, want)
		}
	}
}
