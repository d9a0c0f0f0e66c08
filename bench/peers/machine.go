//go:build linux

package peers

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Machine says where the figures come from.
type Machine struct {
	Processor string            `json:"processor"`
	Cores     int               `json:"cores"`
	Memory    uint64            `json:"memory"` // bytes
	Kernel    string            `json:"kernel"`
	Day       string            `json:"day"` // 2026-01-31, UTC
	Versions  map[string]string `json:"versions"`
	Plain     bool              `json:"plain_card"` // Options.PlainCard
	Neighbour bool              `json:"arp_table"`  // tuned servers had a large ARP table
}

func thisMachine(o Options) Machine {
	m := Machine{Processor: runtime.GOARCH, Day: time.Now().UTC().Format(time.DateOnly), Versions: map[string]string{}, Plain: o.PlainCard, Neighbour: o.neighbours != nil && len(o.neighbours.files) > 0}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.Processor, m.Cores = processor(string(text))
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		m.Memory = info.Totalram * uint64(info.Unit)
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	for _, s := range o.Servers {
		for _, p := range s.Programs {
			m.Versions[p] = version(o.Deps, p)
		}
	}
	if len(o.Perf) > 0 {
		m.Versions["perfdhcp"] = version(o.Deps, "perfdhcp")
	}
	return m
}

// Here describes this machine, with the versions of programs that are installed
// or unpacked below deps.
func Here(deps string, programs ...string) Machine {
	m := thisMachine(Options{})
	for _, p := range programs {
		m.Versions[p] = version(deps, p)
	}
	return m
}

// processor reads the name and the number of the processors from /proc/cpuinfo.
func processor(cpuinfo string) (name string, cores int) {
	name = runtime.GOARCH
	for line := range strings.Lines(cpuinfo) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "model name":
			name = strings.TrimSpace(value)
		case "processor":
			cores++
		}
	}
	return name, cores
}

// versionFlag is how a program is asked for its version, where not --version.
var versionFlag = map[string]string{"in.tftpd": "-V", "kea-dhcp4": "-v", "perfdhcp": "-v"}

// version asks a program for its version, "" if it does not say.
func version(deps, program string) string {
	path, err := find(deps, program)
	if err != nil {
		return ""
	}
	flag := "--version"
	if f := versionFlag[program]; f != "" {
		flag = f
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, _ := exec.CommandContext(ctx, path, flag).CombinedOutput()
	return versionIn(string(out))
}

// number finds the first thing that looks like a version: 4.4.3-P1, 2.90, 5.2.
var number = regexp.MustCompile(`\d+\.\d+(\.\d+)*(-P\d+)?`)

func versionIn(text string) string { return number.FindString(text) }

// cores writes a number of cores.
func cores(n int) string {
	if n == 1 {
		return "1 core"
	}
	return strconv.Itoa(n) + " cores"
}
