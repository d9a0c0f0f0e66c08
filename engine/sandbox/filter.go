package sandbox

import (
	"os"
	"slices"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// common are the system calls of the Go runtime, the loops, netlink, inotify,
// the resolver, the lease directory, and waiting for the keeper. All others get
// EPERM: exec, ptrace, mount, bpf, modules, keys, and what kernels to come will
// have. Names that an architecture lacks are left out there.
var common = []string{
	// The runtime: memory, threads, time, signals.
	"brk", "munmap", "mremap", "madvise", "futex", "nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday",
	"sched_yield", "sched_getaffinity", "getpid", "gettid", "getrandom", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
	"sigaltstack", "set_robust_list", "rseq", "membarrier", "restart_syscall", "exit", "exit_group", "timer_create", "timer_settime",
	"timer_delete", "setitimer", "getrlimit", "sysinfo", "uname", "getuid", "geteuid", "getgid", "getegid", "capget",
	// Waiting.
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "eventfd2", "pipe2",
	"inotify_init1", "inotify_add_watch", "inotify_rm_watch",
	// Files.
	"read", "write", "readv", "writev", "pread64", "pwrite64", "close", "openat", "fstat", "newfstatat", "fstatat", "lstat", "stat", "statx",
	"statfs", "fstatfs", "lseek", "fcntl", "ioctl", "dup", "dup3", "flock", "fsync", "fdatasync", "ftruncate", "fallocate", "rename",
	"renameat", "renameat2", "linkat", "unlinkat", "mkdirat", "readlinkat", "faccessat", "faccessat2", "getdents64", "getcwd", "fchmod",
	// Sockets; which kinds is a matter of socket(2).
	"bind", "connect", "getsockname", "getpeername", "setsockopt", "getsockopt", "sendto", "recvfrom", "sendmsg", "recvmsg",
	"sendmmsg", "recvmmsg", "shutdown",
	"waitid", "wait4",
}

// serving is what the view needs beside common.
var serving = []string{"accept4"}

// starting is what the keeper needs beside common to start the view, and what
// the view needs, which inherits the filter, until it has its own: a program's
// start, and to confine itself.
var starting = []string{"execve", "socketpair", "pidfd_open", "pidfd_send_signal", "getppid", "arch_prctl", "set_tid_address", "access",
	"capset", "seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"}

// prSetVMA is the option of prctl(2) with which the runtime names its memory.
const prSetVMA = 0x53564d41

// rules are what a filter lets through.
type rules struct {
	names    []string // system calls with any arguments
	families []uint64 // of socket(2)
	options  []uint64 // of prctl(2)
	clones   []uint64 // flags of clone(2), one of which must be set
	code     bool     // memory may become executable
	pid      uint64   // the process that tgkill(2) may send to; 0: any, since a program that is started inherits this
}

// engineRules are for the engine: interfaces (netlink), systemd and the log
// (Unix sockets). sockets means that it opens its own: frames, port
// reservations, and name servers.
func engineRules(sockets bool) rules {
	r := rules{names: common, families: []uint64{unix.AF_NETLINK, unix.AF_UNIX}, options: []uint64{prSetVMA}, clones: []uint64{unix.CLONE_THREAD},
		pid: uint64(os.Getpid())}
	if sockets {
		r.families = append(r.families, unix.AF_PACKET, unix.AF_INET, unix.AF_INET6)
	}
	return r
}

// viewRules are for the view, which opens no socket but accepts connections on
// those that it was given.
func viewRules(calls bool) rules {
	r := rules{names: slices.Concat(common, serving), options: []uint64{prSetVMA}, clones: []uint64{unix.CLONE_THREAD},
		pid: uint64(os.Getpid())}
	if calls {
		r.families = []uint64{unix.AF_INET, unix.AF_INET6}
	}
	return r
}

// keeperRules are for the keeper. A program that is not static makes memory
// executable when it starts.
func keeperRules(static bool) rules {
	return rules{names: slices.Concat(common, serving, starting), families: []uint64{unix.AF_PACKET, unix.AF_NETLINK, unix.AF_INET, unix.AF_INET6},
		options: []uint64{prSetVMA, unix.PR_SET_NAME, unix.PR_SET_PDEATHSIG, unix.PR_SET_NO_NEW_PRIVS, unix.PR_CAP_AMBIENT, unix.PR_CAPBSET_DROP},
		clones:  []uint64{unix.CLONE_THREAD, unix.CLONE_VFORK}, code: !static}
}

// known are the names that this architecture has.
func known(list []string) (names []string) {
	info, err := arch.GetInfo("")
	if err != nil {
		return nil
	}
	for _, n := range list {
		if _, ok := info.SyscallNames[n]; ok {
			names = append(names, n)
		}
	}
	return names
}

// A library's policy compares the number of the system call once, and after a
// condition that does not hold goes on with an argument in its place: what is
// tested next may then be taken for the wrong call. So conditions are put into
// policies of their own, one call in each, and say what is refused. The kernel
// applies all filters, and the strictest answer counts (seccomp(2)).

// policies returns the filters in the order in which they can be loaded.
func (r rules) policies() []seccomp.Policy {
	all := []seccomp.Policy{
		unlessSet("clone", 0, r.clones), // threads but no processes, but for the keeper
		unlessEqual("socket", 0, r.families),
		unlessEqual("prlimit64", 0, []uint64{0}), // the limits of no other process
	}
	if r.pid != 0 {
		all = append(all, unlessEqual("tgkill", 0, []uint64{r.pid}))
	}
	if !r.code {
		all = append(all, ifSet("mmap", 2, unix.PROT_EXEC), ifSet("mprotect", 2, unix.PROT_EXEC))
	}
	// To load a filter takes a prctl of its own, and seccomp, which the last denies.
	return append(all, unlessEqual("prctl", 0, r.options), seccomp.Policy{
		DefaultAction: seccomp.ActionErrno,
		Syscalls: []seccomp.SyscallGroup{
			{Action: seccomp.ActionAllow, Names: r.allowed()},
			// The C library, in builds with cgo, falls back to clone only from this.
			{Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS), Names: []string{"clone3"}},
		},
	})
}

// allowed are the system calls that get through, some of them only with some
// arguments.
func (r rules) allowed() []string {
	names := slices.Concat(r.names, []string{"clone", "mmap", "mprotect", "prctl", "prlimit64", "tgkill"})
	if len(r.families) > 0 {
		names = append(names, "socket")
	}
	if r.code {
		names = append(names, "tkill") // libpsx's, where there is cgo
	}
	return known(names)
}

// refuse is a policy that refuses a call when all conditions hold.
func refuse(name string, when seccomp.ArgumentConditions) seccomp.Policy {
	return seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{
		{Action: seccomp.ActionErrno, NamesWithCondtions: []seccomp.NameWithConditions{{Name: name, Conditions: when}}}}}
}

// unlessEqual refuses a call whose argument is none of the values.
func unlessEqual(name string, arg uint32, values []uint64) seccomp.Policy {
	var when seccomp.ArgumentConditions
	for _, v := range values {
		when = append(when, seccomp.Condition{Argument: arg, Operation: seccomp.NotEqual, Value: v})
	}
	return refuse(name, when)
}

// unlessSet refuses a call whose argument has none of the bits.
func unlessSet(name string, arg uint32, bits []uint64) seccomp.Policy {
	var when seccomp.ArgumentConditions
	for _, b := range bits {
		when = append(when, seccomp.Condition{Argument: arg, Operation: seccomp.BitsNotSet, Value: b})
	}
	return refuse(name, when)
}

// ifSet refuses a call whose argument has the bit.
func ifSet(name string, arg uint32, bit uint64) seccomp.Policy {
	return refuse(name, seccomp.ArgumentConditions{{Argument: arg, Operation: seccomp.BitsSet, Value: bit}})
}

// filter puts the filters on all threads, and returns how many system calls
// they let through.
func (r rules) filter() (int, error) {
	for i, p := range r.policies() {
		// no_new_privs is set by the first, or before.
		if err := seccomp.LoadFilter(seccomp.Filter{NoNewPrivs: i == 0, Flag: seccomp.FilterFlagTSync, Policy: p}); err != nil {
			return 0, err
		}
	}
	return len(r.allowed()), nil
}
