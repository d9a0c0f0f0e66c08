package sandbox

import (
	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// common are the system calls of the Go runtime, the loops, netlink, inotify,
// the resolver and the lease directory. All others get EPERM: exec, ptrace,
// mount, bpf, modules, keys, and what kernels to come will have. Names that an
// architecture lacks are left out there.
var common = []string{
	// The runtime: memory, threads, time, signals.
	"brk", "munmap", "mremap", "madvise", "futex", "nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday",
	"sched_yield", "sched_getaffinity", "getpid", "gettid", "tgkill", "getrandom", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
	"sigaltstack", "set_robust_list", "rseq", "membarrier", "restart_syscall", "exit", "exit_group", "timer_create", "timer_settime",
	"timer_delete", "setitimer", "prlimit64", "getrlimit", "sysinfo", "uname", "getuid", "geteuid", "getgid", "getegid", "capget",
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
}

// families are the kinds of sockets that may be opened: frames, port
// reservations, interfaces, systemd and the log; IPv6 for name servers.
var families = []uint64{unix.AF_PACKET, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK, unix.AF_UNIX}

// prSetVMA is the option of prctl(2) with which the runtime names its memory.
const prSetVMA = 0x53564d41

// allowed is common as far as this architecture has it.
func allowed() (names []string) {
	info, err := arch.GetInfo("")
	if err != nil {
		return nil
	}
	for _, n := range common {
		if _, ok := info.SyscallNames[n]; ok {
			names = append(names, n)
		}
	}
	return names
}

// conditional are the system calls that are allowed with some arguments only:
// threads but no processes, memory but no code, five families of sockets.
func conditional() []seccomp.NameWithConditions {
	one := func(name string, arg uint32, op seccomp.Operation, value uint64) seccomp.NameWithConditions {
		return seccomp.NameWithConditions{Name: name, Conditions: seccomp.ArgumentConditions{{Argument: arg, Operation: op, Value: value}}}
	}
	list := []seccomp.NameWithConditions{
		one("clone", 0, seccomp.BitsSet, unix.CLONE_THREAD),
		one("mmap", 2, seccomp.BitsNotSet, unix.PROT_EXEC),
		one("mprotect", 2, seccomp.BitsNotSet, unix.PROT_EXEC),
		one("prctl", 0, seccomp.Equal, prSetVMA),
	}
	for _, f := range families {
		list = append(list, one("socket", 0, seccomp.Equal, f))
	}
	return list
}

// filter puts the seccomp filter on all threads.
func filter() error {
	return seccomp.LoadFilter(seccomp.Filter{NoNewPrivs: true, Flag: seccomp.FilterFlagTSync, Policy: seccomp.Policy{
		DefaultAction: seccomp.ActionErrno,
		Syscalls: []seccomp.SyscallGroup{
			{Action: seccomp.ActionAllow, Names: allowed()},
			{Action: seccomp.ActionAllow, NamesWithCondtions: conditional()},
			// The C library, in builds with cgo, falls back to clone only from this.
			{Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS), Names: []string{"clone3"}},
		},
	}})
}
