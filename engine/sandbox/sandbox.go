// Package sandbox takes from the process what it does not need: the superuser,
// capabilities, the way to new privileges, the file system and system calls.
// Each step holds for all threads. Become runs before the first byte of
// configuration is read, so that a reload can read what the start could; Confine
// runs when the sockets are open. Those are for the engine; the processes beside
// it have one step each: Keeper and View.
//
// capset(2) and prctl(2) act on one thread. Package psx applies them to every
// one, in static builds and in those with cgo alike; the standard library's
// AllThreadsSyscall refuses to work in the latter, which tests are.
package sandbox

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// needed are the capabilities that the keeper has for as long as the daemon runs:
// an interface that is made anew needs new packet sockets and port reservations.
// opening are those that the start uses beside them: receive buffers beyond the
// system's limit. An interface that is made anew later gets buffers up to that
// limit (net.core.rmem_max, see tools/systemd/bootstorm.sysctl).
const (
	needed  = 1<<unix.CAP_NET_RAW | 1<<unix.CAP_NET_BIND_SERVICE
	opening = needed | 1<<unix.CAP_NET_ADMIN
	// A process that stays root keeps its way to files of other owners, for a
	// configuration or a lease file that a distribution's dhcpd made; where it
	// leads is left to Landlock.
	superuser = 1 << unix.CAP_DAC_OVERRIDE
)

// Report says what was reached, in words for the log.
type Report struct {
	Done    []string // what was given up, and what is kept
	Lacking []string // what could not be had, with the reason and a remedy
}

// Err is the error of a caller to whom anything lacking is one, nil if all of
// it was reached.
func (r *Report) Err() error {
	if len(r.Lacking) == 0 {
		return nil
	}
	return errors.New("sandbox: " + strings.Join(r.Lacking, "; "))
}

func (r *Report) done(format string, args ...any) {
	r.Done = append(r.Done, fmt.Sprintf(format, args...))
}

func (r *Report) lacks(format string, args ...any) {
	r.Lacking = append(r.Lacking, fmt.Sprintf(format, args...))
}

// What capset(2) reads. psx hands addresses on as numbers, which does not keep
// the stack from moving: these do not move.
var (
	capHeader = unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	capData   [2]unix.CapUserData
)

// superuserOf is what the engine keeps beside the capabilities of sockets.
func superuserOf() uint64 {
	if unix.Geteuid() == 0 {
		return superuser
	}
	return 0
}

// keep drops every capability that is not in the set, for all threads.
func keep(set uint64) error {
	h := capHeader
	if err := unix.Capget(&h, &capData[0]); err != nil {
		return fmt.Errorf("capget: %w", err)
	}
	fits := true // as under a unit that gives no more, and may forbid capset
	for i := range capData {
		part := capData[i].Permitted & uint32(set>>(32*i))
		fits = fits && part == capData[i].Permitted && part == capData[i].Effective
		// Nothing inheritable: that empties the ambient set too.
		capData[i] = unix.CapUserData{Effective: part, Permitted: part}
	}
	if fits && prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL) == nil {
		return nil
	}
	if _, _, e := psx.Syscall3(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&capHeader)), uintptr(unsafe.Pointer(&capData[0])), 0); e != 0 {
		return fmt.Errorf("capabilities are kept that were to be given up: capset: %w", e)
	}
	return nil
}

// forbidGain empties the bounding set, where the process may, and sets
// no_new_privs: no program that it could start gets more rights than it has.
func forbidGain() error {
	for c := uintptr(0); c < 64; c++ {
		if prctl(unix.PR_CAPBSET_DROP, c) != nil {
			break // no such capability, or no right to: no_new_privs has the same effect
		}
	}
	if err := prctl(unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	return nil
}

// prctl is prctl(2) for all threads.
func prctl(option, arg uintptr) error {
	if _, _, e := psx.Syscall6(unix.SYS_PRCTL, option, arg, 0, 0, 0, 0); e != 0 {
		return e
	}
	return nil
}

// held names the capabilities that are in force.
func held() string {
	h, d := capHeader, [2]unix.CapUserData{}
	if unix.Capget(&h, &d[0]) != nil {
		return "unknown capabilities"
	}
	var names []string
	for c, name := range map[int]string{unix.CAP_DAC_OVERRIDE: "CAP_DAC_OVERRIDE", unix.CAP_NET_ADMIN: "CAP_NET_ADMIN",
		unix.CAP_NET_BIND_SERVICE: "CAP_NET_BIND_SERVICE", unix.CAP_NET_RAW: "CAP_NET_RAW"} {
		if d[0].Permitted&(1<<c) != 0 {
			names = append(names, name)
		}
	}
	if names == nil {
		return "no capability"
	}
	return join(names)
}
