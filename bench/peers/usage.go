//go:build linux

package peers

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// meter counts the processor time of a process and of everything that it starts
// after the meter was attached.
//
// It is a task clock of perf_event_open(2) with inheritance. The times of
// /proc/PID/stat, which stand in where the kernel refuses it, come in steps of
// 10 ms and miss the children of a server that ignores SIGCHLD, as in.tftpd
// does, which is most of what it spends.
type meter struct {
	pid   int
	clock int // descriptor, -1: /proc
}

// attach begins to count. The process should not have started anything yet.
func attach(pid int) *meter {
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_TASK_CLOCK, Bits: unix.PerfBitInherit}
	attr.Size = uint32(unsafe.Sizeof(attr))
	fd, err := unix.PerfEventOpen(&attr, pid, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		fd = -1
	}
	return &meter{pid: pid, clock: fd}
}

// read returns the time counted so far.
func (m *meter) read() time.Duration {
	var b [8]byte
	if m.clock >= 0 {
		if n, err := unix.Read(m.clock, b[:]); err == nil && n == len(b) {
			return time.Duration(binary.NativeEndian.Uint64(b[:]))
		}
	}
	var sum time.Duration
	for _, pid := range tree(m.pid) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err == nil {
			sum += statTime(string(text))
		}
	}
	return sum
}

func (m *meter) close() {
	if m.clock >= 0 {
		unix.Close(m.clock)
	}
}

// source names what read reads.
func (m *meter) source() string {
	if m.clock >= 0 {
		return "perf task-clock"
	}
	return "/proc/PID/stat"
}

// ticks per second of the times in /proc/PID/stat (USER_HZ).
const userHZ = 100

// statTime is what a process and the children that it has waited for have used:
// fields 14 to 17 of its stat file (proc(5)).
func statTime(stat string) time.Duration {
	fields := afterName(stat)
	if len(fields) < 15 {
		return 0
	}
	ticks := 0
	for _, f := range fields[11:15] {
		n, _ := strconv.Atoi(f)
		ticks += n
	}
	return time.Duration(ticks) * time.Second / userHZ
}

// afterName are the fields of a stat file from the third on: the second is the
// name in parentheses, which may hold spaces and parentheses.
func afterName(stat string) []string {
	return strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
}

// tree is a process and all its descendants.
func tree(pid int) []int {
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", all[i]))
		for _, t := range tasks {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", all[i], t.Name()))
			for _, f := range strings.Fields(string(text)) {
				if child, err := strconv.Atoi(f); err == nil {
					all = append(all, child)
				}
			}
		}
	}
	return all
}

// memory is what the processes hold, in bytes: of each what it shares with no
// file (resident less shared, /proc/PID/statm), and once the largest shared part.
func memory(pids []int) uint64 {
	var own, shared uint64
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if err != nil {
			continue
		}
		o, s := statmPages(string(text))
		own, shared = own+o, max(shared, s)
	}
	return (own + shared) * uint64(os.Getpagesize())
}

func statmPages(statm string) (own, shared uint64) {
	fields := strings.Fields(statm)
	if len(fields) < 3 {
		return 0, 0
	}
	resident, _ := strconv.ParseUint(fields[1], 10, 64)
	shared, _ = strconv.ParseUint(fields[2], 10, 64)
	return resident - min(shared, resident), shared
}

// tunedBuffer is the receive buffer of a tuned server's sockets, bytes.
const tunedBuffer = 32 << 20

// enlarge raises the receive buffer of every socket that a process holds and
// returns how many there are. It is what net.core.rmem_default does for the whole
// machine; in a network namespace that can only be read, and the machine is not
// ours to change. So the sockets are borrowed (pidfd_getfd(2)).
func enlarge(pid int) (int, error) {
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return 0, fmt.Errorf("pidfd_open: %w", err)
	}
	defer unix.Close(process)
	dir := fmt.Sprintf("/proc/%d/fd/", pid)
	list, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	count := 0
	for _, e := range list {
		target, _ := os.Readlink(dir + e.Name())
		number, err := strconv.Atoi(e.Name())
		if err != nil || !strings.HasPrefix(target, "socket:") {
			continue
		}
		fd, err := unix.PidfdGetfd(process, number, 0)
		if err != nil {
			return count, fmt.Errorf("pidfd_getfd: %w", err)
		}
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, tunedBuffer) == nil {
			count++
		}
		unix.Close(fd)
	}
	return count, nil
}
