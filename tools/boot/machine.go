package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bootstorm/tools/lab"
)

// stage is a point of the boot that the console shows.
type stage struct {
	text string // on the console
	say  string
	name string // column of the table
}

var stages = []stage{
	{"Start PXE over IPv4", "firmware starts PXE", "firmware"},
	{"NBP file downloaded successfully", "firmware has downloaded ipxe.efi", "ipxe.efi"},
	{"iPXE initialising devices", "iPXE runs", "iPXE"},
	{"EFI boot mode", "iPXE runs refind.pxe", "refind.pxe"},
	{"Automatic boot in", "rEFInd shows its menu", "rEFInd"}, // the menu's last line
	{localDisk, "the local disk's boot loader runs", "local disk"},
}

const (
	localDisk = "LOCAL-DISK-BOOTED" // what the disk's boot loader says
	menuStage = 4                   // index in stages of rEFInd's menu
)

// firmwareFiles are OVMF's program and its empty variable store.
const (
	firmwareCode = "/usr/share/OVMF/OVMF_CODE_4M.fd"
	firmwareVars = "/usr/share/OVMF/OVMF_VARS_4M.fd"
)

// machine is a virtual machine.
type machine struct {
	number  int
	dir     string
	process *lab.Process
	control *control

	serial  *os.File
	console []byte            // of this boot
	begun   time.Time         // of this boot
	reached int               // stages of this boot
	times   [][]time.Duration // for each boot, when the stages were reached
}

func (m *machine) String() string { return fmt.Sprintf("node%d", m.number) }

// macOf is the MAC address of machine i, from 1.
func macOf(i int) string { return fmt.Sprintf("52:54:00:12:34:%02x", i) }

// powerOn starts QEMU on the segment.
func (m *machine) powerOn(r *run) error {
	if err := os.MkdirAll(m.dir, 0o755); err != nil {
		return err
	}
	if err := errors.Join(copyFile(r.file("disk.img"), m.file("disk.img")), copyFile(firmwareVars, m.file("vars.fd"))); err != nil {
		return err
	}
	tap := "tap" + strconv.Itoa(m.number)
	if err := r.lab.Tap(tap); err != nil {
		return fmt.Errorf("%w\na virtual machine needs /dev/net/tun: modprobe tun, and read and write access to it", err)
	}
	log, err := os.Create(m.file("qemu.log"))
	if err != nil {
		return err
	}
	if m.process, err = r.lab.Segment.StartTee(log, m.command(tap, r.memory)...); err != nil {
		return err
	}
	m.begun = time.Now()
	m.times = [][]time.Duration{nil}
	if m.control, err = dialControl(m.file("qmp"), 20*time.Second); err != nil {
		return fmt.Errorf("%w\n%s", err, m.process.Output())
	}
	m.serial, err = os.Open(m.file("console.log"))
	return err
}

// command is QEMU's: a machine with the firmware's own PXE client (no option
// ROM), which boots from the network first, then from its disk. Software
// emulation works everywhere; KVM would be faster where it exists.
func (m *machine) command(tap string, memory int) []string {
	drive := func(unit, more, file string) string {
		return "if=pflash,format=raw,unit=" + unit + more + ",file=" + file
	}
	return []string{"qemu-system-x86_64", "-name", m.String(), "-machine", "q35,accel=tcg", "-cpu", "max",
		"-m", strconv.Itoa(memory), "-smp", "1", "-uuid", fmt.Sprintf("11111111-2222-3333-4444-5555555555%02x", m.number),
		"-nodefaults", "-no-user-config", "-vga", "std", "-display", "none",
		"-drive", drive("0", ",readonly=on", firmwareCode), "-drive", drive("1", "", m.file("vars.fd")),
		"-drive", "if=none,id=hd0,format=raw,file=" + m.file("disk.img"), "-device", "ide-hd,drive=hd0,bootindex=2",
		"-netdev", "tap,id=n0,ifname=" + tap + ",script=no,downscript=no",
		"-device", "virtio-net-pci,netdev=n0,bootindex=1,romfile=,mac=" + macOf(m.number),
		"-serial", "file:" + m.file("console.log"), "-qmp", "unix:" + m.file("qmp") + ",server=on,wait=off"}
}

func (m *machine) file(name string) string { return filepath.Join(m.dir, name) }

// follow reads the console and reports the stages that it shows.
func (m *machine) follow(r *run) error {
	if !m.process.Running() {
		return fmt.Errorf("%s: QEMU ended:\n%s", m, m.process.Output())
	}
	more, err := io.ReadAll(m.serial)
	if err != nil {
		return err
	}
	m.console = append(m.console, more...)
	for m.reached < len(stages) && bytes.Contains(m.console, []byte(stages[m.reached].text)) {
		if err := m.reach(r); err != nil {
			return err
		}
	}
	if m.reached < menuStage && bytes.Contains(m.console, []byte(localDisk)) {
		return fmt.Errorf("%s booted from its disk without the network: it %s", m, m.where())
	}
	if m.reached == len(stages) && len(m.times) <= r.reboots {
		return m.reboot(r)
	}
	return nil
}

// reach notes that the next stage is reached.
func (m *machine) reach(r *run) error {
	boot := len(m.times) - 1
	m.times[boot] = append(m.times[boot], time.Since(m.begun))
	s := stages[m.reached]
	m.reached++
	r.say("%s: %s", m, s.say)
	switch m.reached - 1 {
	case menuStage:
		return m.screenshot(fmt.Sprintf("refind-menu-%d.png", boot+1))
	case len(stages) - 1:
		return m.screenshot(fmt.Sprintf("local-disk-%d.png", boot+1))
	}
	return nil
}

// reboot presses the reset button.
func (m *machine) reboot(r *run) error {
	if _, err := m.control.do("system_reset", nil); err != nil {
		return err
	}
	r.say("%s: reset (%d of %d)", m, len(m.times), r.reboots)
	m.begun, m.reached, m.console = time.Now(), 0, nil
	m.times = append(m.times, nil)
	// What the old boot still had in the serial line is not the new one's.
	_, err := io.Copy(io.Discard, m.serial)
	return err
}

func (m *machine) done(r *run) bool { return m.reached >= r.goal() && len(m.times) == r.reboots+1 }

// where says how far the machine came.
func (m *machine) where() string {
	if m.reached == 0 {
		return "did not start PXE"
	}
	return "came as far as: " + stages[m.reached-1].say
}

func (m *machine) screenshot(name string) error {
	if m.control == nil {
		return nil
	}
	_, err := m.control.do("screendump", map[string]any{"filename": m.file(name), "format": "png"})
	return err
}

// lastLines returns the end of the console without its control sequences.
func (m *machine) lastLines(n int) string {
	var b strings.Builder
	escape := false
	for _, c := range m.console {
		switch {
		case c == 0x1b:
			escape = true
		case escape:
			escape = c == '[' || c == ';' || c >= '0' && c <= '9' || c == '=' || c == '?'
			if c == 'H' { // the cursor was moved: another line
				b.WriteByte('\n')
			}
		case c == '\n' || c >= ' ' && c < 0x7f:
			b.WriteByte(c)
		}
	}
	var lines []string
	for _, l := range strings.Split(b.String(), "\n") {
		if strings.TrimSpace(l) != "" {
			lines = append(lines, strings.TrimSpace(l))
		}
	}
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o644)
}
