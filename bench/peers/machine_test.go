//go:build linux

package peers

import "testing"

func TestVersionIn(t *testing.T) {
	for text, want := range map[string]string{
		"isc-dhcpd-4.4.3-P1\n": "4.4.3-P1",
		"Dnsmasq version 2.90  Copyright (c) 2000-2024 Simon Kelley": "2.90",
		"tftp-hpa 5.2, with remap, with tcpwrappers":                 "5.2",
		"atftp-0.8.0 (server)":                                       "0.8.0",
		"VERSION: 2.2.0":                                             "2.2.0",
		"unknown":                                                    "",
	} {
		if got := versionIn(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestProcessor(t *testing.T) {
	name, n := processor("processor\t: 0\nmodel name\t: AMD EPYC\n\nprocessor\t: 1\nmodel name\t: AMD EPYC\n")
	if name != "AMD EPYC" || n != 2 {
		t.Errorf("%q, %d", name, n)
	}
	if name, n := processor(""); name == "" || n != 0 {
		t.Errorf("without a file: %q, %d", name, n)
	}
}

func TestThisMachine(t *testing.T) {
	m := thisMachine(Options{})
	if m.Cores < 1 || m.Memory == 0 || m.Kernel == "" || m.Day == "" || len(m.Versions) != 0 {
		t.Errorf("%+v", m)
	}
}
