package engine

import (
	"fmt"
	"slices"
)

// losses are counts of what was lost on the way, as reported so far.
type losses struct {
	kernel, dropped uint64
}

// checkLosses warns when frames were lost since the last look. Clients repeat
// what is lost, so it costs time and not a boot, but it has a cause.
func (s *server) checkLosses() {
	st := s.traffic()
	if n := st.KernelDrops - s.lost.kernel; n > 0 && st.KernelDrops > s.lost.kernel {
		s.log.Warn(fmt.Sprintf("%d frames were lost in the kernel: the receive buffer was full; "+
			"raise it with \"sysctl -w net.core.rmem_max=67108864\" and restart, or give the server a processor of its own", n))
	}
	dropped := st.Dropped
	for _, w := range s.workers {
		dropped += w.dropped.Load()
	}
	if n := dropped - s.lost.dropped; n > 0 && dropped > s.lost.dropped && !slices.Contains(s.up, false) {
		s.log.Warn(fmt.Sprintf("%d frames could not be sent: the interface took none of them; look at its link and its driver's log", n))
	}
	s.lost = losses{st.KernelDrops, dropped}
}
