package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bootstorm/tools/lab"
)

func TestMain(m *testing.M) { lab.Main(m) }

// fakeQEMU answers on a QMP socket as QEMU does, and notes the commands.
type fakeQEMU struct {
	file string
	seen chan string
}

func newFakeQEMU(t *testing.T) *fakeQEMU {
	t.Helper()
	q := &fakeQEMU{file: filepath.Join(t.TempDir(), "qmp"), seen: make(chan string, 16)}
	l, err := net.Listen("unix", q.file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		fmt.Fprintln(c, `{"QMP": {"version": {}, "capabilities": []}}`)
		for in := bufio.NewScanner(c); in.Scan(); {
			q.seen <- in.Text()
			fmt.Fprintln(c, `{"event": "RESUME", "timestamp": {}}`)
			if strings.Contains(in.Text(), "nonsense") {
				fmt.Fprintln(c, `{"error": {"class": "CommandNotFound", "desc": "The command nonsense has not been found"}}`)
			} else {
				fmt.Fprintln(c, `{"return": {}}`)
			}
		}
	}()
	return q
}

func TestControl(t *testing.T) {
	q := newFakeQEMU(t)
	c, err := dialControl(q.file, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.do("screendump", map[string]any{"filename": "x.png"}); err != nil {
		t.Error(err)
	}
	if _, err := c.do("nonsense", nil); err == nil || !strings.Contains(err.Error(), "has not been found") {
		t.Errorf("error %v, want QEMU's", err)
	}
	for _, want := range []string{`{"execute":"qmp_capabilities"}`, `{"arguments":{"filename":"x.png"},"execute":"screendump"}`, `{"execute":"nonsense"}`} {
		if got := <-q.seen; got != want {
			t.Errorf("command %s, want %s", got, want)
		}
	}
	if _, err := dialControl(filepath.Join(t.TempDir(), "none"), 50*time.Millisecond); err == nil {
		t.Error("no error where nobody answers")
	}
}

// console is a machine whose console the test writes.
type console struct {
	*testing.T
	r   *run
	m   *machine
	out *os.File
}

func newConsole(t *testing.T, reboots int) *console {
	t.Helper()
	l := lab.ForTest(t)
	file := filepath.Join(t.TempDir(), "console.log")
	out, err1 := os.Create(file)
	in, err2 := os.Open(file)
	p, err3 := l.Segment.Start("sleep", "100") // stands for QEMU
	q := newFakeQEMU(t)
	control, err4 := dialControl(q.file, time.Second)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	m := &machine{number: 1, dir: t.TempDir(), process: p, control: control, serial: in, begun: time.Now(), times: [][]time.Duration{nil}}
	return &console{t, &run{options: options{reboots: reboots}, started: time.Now(), machines: []*machine{m}}, m, out}
}

func (c *console) write(text string) {
	c.Helper()
	fmt.Fprint(c.out, text)
	if err := c.m.follow(c.r); err != nil {
		c.Error(err)
	}
}

func TestFollowsABoot(t *testing.T) {
	c := newConsole(t, 1)
	boot := func() {
		c.write(">>Start PXE over IPv4.\r\n  Station IP address is 192.168.1.2\r\n")
		c.write("  NBP file downloaded succ") // a line comes in pieces
		c.write("essfully.\r\niPXE initialising devices...ok\r\nEFI boot mode\r\n")
		c.write("\x1b[29;04HAutomatic boot in 1 seconds")
		c.write(localDisk + " by GRUB")
	}
	boot()
	if c.m.done(c.r) || len(c.m.times) != 2 || len(c.m.times[0]) != len(stages) || c.m.reached != 0 {
		t.Fatalf("after one boot of two: %d boots begun, times %v", len(c.m.times), c.m.times)
	}
	boot()
	if !c.m.done(c.r) || len(c.m.times[1]) != len(stages) {
		t.Errorf("after two boots: times %v", c.m.times)
	}
}

func TestBootWithoutTheNetworkFails(t *testing.T) {
	c := newConsole(t, 0)
	fmt.Fprint(c.out, ">>Start PXE over IPv4.\r\nPXE-E18: Server response timeout.\r\n"+localDisk)
	err := c.m.follow(c.r)
	if err == nil || !strings.Contains(err.Error(), "booted from its disk without the network") {
		t.Fatalf("error %v", err)
	}
	if text := c.r.explain(err).Error(); !strings.Contains(text, "PXE-E18") || !strings.Contains(text, "firmware starts PXE") {
		t.Errorf("the error does not help:\n%s", text)
	}
}

func TestEndOfQEMUFails(t *testing.T) {
	c := newConsole(t, 0)
	if err := c.m.process.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := c.m.follow(c.r); err == nil || !strings.Contains(err.Error(), "QEMU ended") {
		t.Errorf("error %v", err)
	}
}

func TestPlace(t *testing.T) {
	dir := t.TempDir()
	image, part := filepath.Join(dir, "image"), filepath.Join(dir, "part")
	if err := errors.Join(sparse(image, 4096), os.WriteFile(part, []byte("partition"), 0o644), place(part, image, 1024)); err != nil {
		t.Fatal(err)
	}
	want := make([]byte, 4096)
	copy(want[1024:], "partition")
	if got, err := os.ReadFile(image); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestAddressesAreChecked(t *testing.T) {
	cases := []struct {
		name string
		had  []string // of machine 1, then of machine 2
		bad  string
	}{
		{"one each", []string{"192.168.1.2", "192.168.1.3"}, ""},
		{"shared", []string{"192.168.1.2", "192.168.1.2"}, "both had 192.168.1.2"},
		{"foreign", []string{"192.168.1.2", "192.168.1.9"}, "node2 had the addresses [192.168.1.9]"},
		{"two for one", []string{"192.168.1.2 192.168.1.3", "192.168.1.4"}, "node1 had the addresses [192.168.1.2 192.168.1.3]"},
		{"none", []string{"", "192.168.1.4"}, "node1 had the addresses []"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := examine(new(wire).capture())
			r := &run{machines: []*machine{{number: 1}, {number: 2}}}
			for i, text := range c.had {
				e.addresses[parseMAC(macOf(i+1))] = addresses(text)
			}
			err := r.checkAddresses(e)
			if (err == nil) != (c.bad == "") || err != nil && !strings.Contains(err.Error(), c.bad) {
				t.Errorf("error %v, want %q", err, c.bad)
			}
		})
	}
}
