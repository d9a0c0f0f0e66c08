package peers

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// report is a report of perfdhcp 2.2.0.
func report(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestReadPerfdhcp(t *testing.T) {
	cases := []struct {
		name, file string
		want       Perf
		cell       string
	}{
		{"rate", "perfdhcp-rate.txt", Perf{Offered: 2000, Rate: 1816.99, Malformed: 3,
			Discover: Exchange{Sent: 9995, Received: 9990, Drops: 5, Average: 408 * time.Microsecond, Max: 5895 * time.Microsecond},
			Request:  Exchange{Sent: 9990, Received: 9985, Drops: 7, Average: 2273 * time.Microsecond, Max: 17001 * time.Microsecond}},
			"1,997/s, 408 µs and 2.27 ms, 12 lost"},
		{"avalanche", "perfdhcp-avalanche.txt", Perf{Rate: 959.259, Took: 62*time.Second + 82732*time.Microsecond, Resent: 335,
			Discover: Exchange{Sent: 2000, Received: 2000, Average: 71291 * time.Microsecond, Max: 1459309 * time.Microsecond},
			Request:  Exchange{Sent: 2000, Received: 2000, Max: 1760994 * time.Microsecond}},
			"62.1 s, 335 sent again"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := Perf{Offered: c.want.Offered}
			got.read(report(t, c.file))
			if got != c.want {
				t.Errorf("read\n%+v, want\n%+v", got, c.want)
			}
			if s := got.cell(); s != c.cell {
				t.Errorf("cell %q, want %q", s, c.cell)
			}
		})
	}
}

func TestReadPerfdhcpThatFailed(t *testing.T) {
	p := Perf{Title: "x", Load: "2000/s", Offered: 2000, Error: "perfdhcp opens no socket: \nmore"}
	p.read("It took \nRate: many\nsent packets 12\n\nIt took soon\n")
	if p.Rate != 0 || p.Took != 0 || p.Discover != (Exchange{}) {
		t.Errorf("figures out of nothing: %+v", p)
	}
	if s := p.sentence(); s != "x, perfdhcp 2000/s: perfdhcp opens no socket:" {
		t.Errorf("sentence %q", s)
	}
}

// A load that did not keep up, or lost answers itself, says so.
func TestPerfCellAdmits(t *testing.T) {
	p := Perf{Offered: 12000, Rate: 5000, Discover: Exchange{Sent: 30000, Received: 29999, Drops: 1}, Request: Exchange{Received: 25000}, Lost: 17}
	if got, want := p.cell(), "5,000/s, 0.00 µs and 0.00 µs, 1 lost of 30,000 (17 by perfdhcp)"; got != want {
		t.Errorf("cell %q, want %q", got, want)
	}
}

func TestClock(t *testing.T) {
	for text, want := range map[string]time.Duration{"00:00:00.5": time.Second / 2, "01:02:03": 3723 * time.Second, "soon": 0, "": 0} {
		if got := clock(text); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

func TestCounterIn(t *testing.T) {
	const snmp = "Ip: Forwarding DefaultTTL\nIp: 1 64\nUdp: InDatagrams NoPorts InErrors RcvbufErrors\nUdp: 7 8 9 10\nUdpLite: RcvbufErrors\nUdpLite: 99\n"
	for _, c := range []struct {
		table, prefix, name string
		want                int
	}{
		{snmp, "Udp:", rcvbufErrorName, 10},
		{snmp, "UdpLite:", rcvbufErrorName, 99},
		{snmp, "Udp:", "Unknown", 0},
		{snmp, "Tcp:", rcvbufErrorName, 0},
		{"Udp: a RcvbufErrors\nUdp: 1\n", "Udp:", rcvbufErrorName, 0},
		{"", "Udp:", rcvbufErrorName, 0},
	} {
		if got := counterIn(c.table, c.prefix, c.name); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.prefix, c.name, got, c.want)
		}
	}
}

func TestPerfLoads(t *testing.T) {
	for _, l := range PerfLoads() {
		args := l.args("perfdhcp")
		t.Log(args)
		if l.Clients < 1 || l.Clients > int(poolLast-poolFirst) {
			t.Errorf("%s: %d clients do not fit the pool", l.Name, l.Clients)
		}
		if avalanche := args[len(args)-1] == "avalanche"; avalanche != (l.Rate == 0) {
			t.Errorf("%s: %q", l.Name, args)
		}
	}
}
