package dhcp

import "testing"

// The shapes of past vulnerabilities of other servers, as far as they concern
// this package: each input is read to a stated result. What a caller must
// check for itself is said in the case.
func TestShapesOfPastVulnerabilities(t *testing.T) {
	for _, c := range []struct {
		name  string
		msg   []byte
		ok    bool
		check func(t *testing.T, o *Options, h *Header)
	}{
		{"CVE-2010-2156: client identifier of length 0", message(53, 1, 1, 61, 0, 255), true, func(t *testing.T, o *Options, _ *Header) {
			if v := mustGet(t, o, OptClientID); len(v) != 0 {
				t.Errorf("% x", v)
			}
		}},
		{"CVE-2012-3570: client identifier of 255 bytes", message(join([]byte{53, 1, 1}, long(61, 255, 0xff), []byte{255})...), true,
			func(t *testing.T, o *Options, _ *Header) {
				if v := mustGet(t, o, OptClientID); len(v) != 255 {
					t.Errorf("%d bytes", len(v))
				}
			}},
		{"CVE-2012-3571: client identifier cut by the end", message(53, 1, 1, 61, 7, 1), false, nil},
		{"CVE-2018-5732: option longer than its message", message(join([]byte{53, 1, 1}, long(120, 10, 1)[:8])...), false, nil},
		{"CVE-2018-5733: one option thousands of times", message(repeat([]byte{250, 0}, 600)...), true,
			func(t *testing.T, o *Options, _ *Header) {
				if v := mustGet(t, o, 250); len(v) != 0 {
					t.Errorf("% x", v)
				}
			}},
		{"CVE-2018-5733: one option until the buffer is full", message(repeat([]byte{250, 3, 1, 2, 3}, 700)...), false, nil},
		{"CVE-2022-2929: host name label above 63", message(81, 8, 0, 0, 0, 0xc0, 'a', 'b', 'c', 0, 255), true,
			func(t *testing.T, o *Options, _ *Header) {
				if v := mustGet(t, o, OptFQDN); len(v) != 8 { // handed on as bytes, never decoded here
					t.Errorf("% x", v)
				}
			}},
		{"CVE-2025-11232 (Kea): host name of nothing but zero bytes", message(12, 3, 0, 0, 0, 255), true,
			func(t *testing.T, o *Options, _ *Header) {
				if v := mustGet(t, o, OptHostName); len(v) != 3 {
					t.Errorf("% x", v)
				}
			}},
		{"CVE-2019-6474 (Kea): neither hardware address nor identifier", at(message(53, 1, 1, 255), 2, 0), true,
			func(t *testing.T, o *Options, h *Header) {
				if hw, ok := h.HW(); !ok || hw.Len != 0 || hw != (HW{Type: 1}) || o.Has(OptClientID) {
					t.Errorf("%+v, %v", hw, ok)
				}
			}},
		{"gopacket's panic: hardware length 255", at(message(53, 1, 1, 255), 2, 255), true, func(t *testing.T, _ *Options, h *Header) {
			if hw, ok := h.HW(); ok || hw != (HW{}) {
				t.Errorf("%+v, %v", hw, ok)
			}
		}},
		{"CVE-2017-14494 (dnsmasq) in v4: relay option that claims more than it has", message(82, 4, 1, 200, 'a', 'b', 255), true,
			func(t *testing.T, o *Options, _ *Header) {
				if v := mustGet(t, o, OptRelayAgent); len(v) != 4 { // sub-options are read by whoever needs them, inside these 4
					t.Errorf("% x", v)
				}
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var o Options
			if ok := o.Parse(c.msg); ok != c.ok {
				t.Fatalf("Parse says %v, want %v", ok, c.ok)
			}
			if !c.ok && o.present != [4]uint64{} {
				t.Error("a refused message leaves options behind")
			}
			if c.check != nil {
				c.check(t, &o, View(c.msg))
			}
		})
	}
}

func repeat(b []byte, n int) (out []byte) {
	for range n {
		out = append(out, b...)
	}
	return out
}
