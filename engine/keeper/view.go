package keeper

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Pauses before the view is started again: short after a first end, doubling
// while it ends soon.
const (
	pauseFirst = 200 * time.Millisecond
	pauseMost  = 30 * time.Second
	livesLong  = time.Minute // a view that lived so long begins with the first pause again
)

// endTime is how long the view has to end by itself when its feed has ended.
const endTime = 500 * time.Millisecond

// starter starts the view.
type starter struct {
	args  []string
	files []*os.File // of the view
	env   []string

	oom *os.File // this process's oom_score_adj, nil if it cannot be written
	own string   // what stands in it

	process *os.Process
	ended   chan string // how it ended
	since   time.Time
	next    time.Duration // pause
}

// init takes the command line, and the keeper's own files to pass on.
func (s *starter) init(args []string, null *os.File, files int) {
	s.args = append([]string{"bootstorm"}, args...)
	s.files = []*os.File{null, os.Stderr, os.Stderr, nil}
	for i := range files {
		s.files = append(s.files, os.NewFile(uintptr(FirstFile+i), "listener"))
	}
	// It speaks to nobody in the daemon's name (sd_notify(3)).
	s.env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "NOTIFY_SOCKET=") || strings.HasPrefix(v, "WATCHDOG_")
	})
	const file = "/proc/self/oom_score_adj"
	if own, err := os.ReadFile(file); err == nil {
		if s.oom, err = os.OpenFile(file, os.O_WRONLY, 0); err == nil {
			s.own = strings.TrimSpace(string(own))
		}
	}
	s.ended, s.next = make(chan string, 1), pauseFirst
}

// start starts a view and returns the other end of its feed.
func (s *starter) start() (*os.File, error) {
	ours, theirs, err := pair(syscall.SOCK_STREAM)
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	s.files[Feed] = theirs
	// The view cannot outlive this process, even if it is stopped: the signal
	// comes when this thread ends.
	s.since = time.Now()
	s.readiness(viewReadiness)
	s.process, err = os.StartProcess(Program, s.args, &os.ProcAttr{Files: s.files, Env: s.env,
		Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}})
	s.readiness(s.own)
	if err != nil {
		ours.Close()
		return nil, err
	}
	go func(p *os.Process) {
		state, err := p.Wait()
		if err != nil {
			s.ended <- err.Error()
			return
		}
		s.ended <- fmt.Sprint(state)
	}(s.process)
	return ours, nil
}

// viewReadiness is how ready the kernel is to end the view when memory is short:
// more than any process of a system is by itself, up to 1000
// (proc_pid_oom_score_adj(5)). It is inherited, and may be taken back.
const viewReadiness = "500"

// readiness sets that of this process.
func (s *starter) readiness(to string) {
	if s.oom != nil {
		_, _ = s.oom.WriteAt([]byte(to), 0) // without it, the view's own limits are what there is
	}
}

// pause is how long to wait before the next start.
func (s *starter) pause() time.Duration {
	if time.Since(s.since) > livesLong {
		s.next = pauseFirst
	}
	p := s.next
	s.next = min(2*s.next, pauseMost)
	return p
}

// kill ends a view that does not answer, even a stopped one. That it has ended
// is heard as ever.
func (s *starter) kill() {
	if s.process != nil {
		_ = s.process.Kill() // it may have ended by now
	}
}

// end waits for the view's end, which comes with the engine's, and hastens it.
func (s *starter) end() {
	if s.process == nil {
		return
	}
	select {
	case <-s.ended:
	case <-time.After(endTime):
		s.process.Kill()
		select { // whoever is started next finds the view's sockets free
		case <-s.ended:
		case <-time.After(endTime):
		}
	}
}
