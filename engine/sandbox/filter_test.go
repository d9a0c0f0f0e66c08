package sandbox

import (
	"encoding/binary"
	"os"
	"testing"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// judge runs all filters of a set of rules on a system call (struct
// seccomp_data of seccomp(2)) and tells whether every one lets it through.
func judge(t *testing.T, r rules) func(name string, args ...uint64) bool {
	t.Helper()
	info, err := arch.GetInfo("")
	if err != nil {
		t.Fatal(err)
	}
	var machines []*bpf.VM
	for _, p := range r.policies() {
		program, err := p.Assemble()
		if err != nil {
			t.Fatal(err)
		}
		vm, err := bpf.NewVM(program)
		if err != nil {
			t.Fatal(err)
		}
		machines = append(machines, vm)
	}
	return func(name string, args ...uint64) bool {
		number, ok := info.SyscallNames[name]
		if !ok {
			t.Fatalf("no system call %s", name)
		}
		// The machine reads packets, in network byte order; the lower half of an
		// argument comes first.
		data := make([]byte, 64)
		binary.BigEndian.PutUint32(data, uint32(number))
		binary.BigEndian.PutUint32(data[4:], uint32(info.ID))
		for i, a := range args {
			binary.BigEndian.PutUint32(data[16+8*i:], uint32(a))
			binary.BigEndian.PutUint32(data[20+8*i:], uint32(a>>32))
		}
		for _, vm := range machines {
			verdict, err := vm.Run(data)
			if err != nil {
				t.Fatal(err)
			}
			if seccomp.Action(verdict) != seccomp.ActionAllow {
				return false
			}
		}
		return true
	}
}

// TestFilters asks the filters of all processes about the calls that they let
// through with some arguments only, with every argument that could be mistaken
// for the number of another call.
func TestFilters(t *testing.T) {
	pid := uint64(os.Getpid())
	for name, c := range map[string]struct {
		rules    rules
		families []uint64
		exec     bool
	}{
		"engine":       {engineRules(false), []uint64{unix.AF_NETLINK, unix.AF_UNIX}, false},
		"engine alone": {engineRules(true), []uint64{unix.AF_NETLINK, unix.AF_UNIX, unix.AF_PACKET, unix.AF_INET, unix.AF_INET6}, false},
		"view":         {viewRules(false), nil, false},
		"calling view": {viewRules(true), []uint64{unix.AF_INET, unix.AF_INET6}, false},
		"keeper":       {keeperRules(true), []uint64{unix.AF_PACKET, unix.AF_NETLINK, unix.AF_INET, unix.AF_INET6}, true},
	} {
		ask := judge(t, c.rules)
		has := func(list []uint64, v uint64) bool {
			for _, x := range list {
				if x == v {
					return true
				}
			}
			return false
		}
		for v := range uint64(500) {
			for _, high := range []uint64{0, 1 << 32} {
				a := v | high
				if got, want := ask("socket", a), has(c.families, a); got != want {
					t.Errorf("%s: socket(%d): %v, want %v", name, a, got, want)
				}
				if got, want := ask("clone", a), false; got != want {
					t.Errorf("%s: clone(%d): %v, want %v", name, a, got, want)
				}
				if got, want := ask("prctl", a), has(c.rules.options, a); got != want {
					t.Errorf("%s: prctl(%d): %v, want %v", name, a, got, want)
				}
				if got, want := ask("prlimit64", a), a == 0; got != want {
					t.Errorf("%s: prlimit64(%d): %v, want %v", name, a, got, want)
				}
				for _, call := range []string{"mmap", "mprotect"} {
					if got, want := ask(call, 0, 0, a), a&unix.PROT_EXEC == 0; got != want {
						t.Errorf("%s: %s(prot %d): %v, want %v", name, call, a, got, want)
					}
				}
			}
		}
		if !ask("clone", unix.CLONE_THREAD|unix.CLONE_VM) || !ask("tgkill", pid) || ask("tgkill", pid+1) != c.exec || !ask("prctl", prSetVMA) {
			t.Errorf("%s: threads, signals to itself", name)
		}
		if ask("execve") != c.exec || ask("clone", unix.CLONE_VFORK|unix.CLONE_VM) != c.exec {
			t.Errorf("%s: exec: want %v", name, c.exec)
		}
		for _, call := range []string{"ptrace", "mount", "bpf", "unshare", "setuid", "kill", "process_vm_writev", "init_module", "execveat", "io_uring_setup"} {
			if ask(call) {
				t.Errorf("%s: %s", name, call)
			}
		}
		if !ask("sendmmsg") || !ask("futex") {
			t.Errorf("%s: ordinary calls are refused", name)
		}
	}
}
