package engine

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// tellSystemd sends a state of sd_notify(3). Without systemd there is nobody to
// tell, and a failure is not worth a word: systemd then reports a timeout.
func tellSystemd(state string) { daemon.SdNotify(false, state) }

// watchdog tells systemd that the server is alive for as long as alive says so,
// at half the interval that the unit asks for (WatchdogSec=, sd_watchdog_enabled(3)).
func watchdog(ctx context.Context, alive func() bool) {
	// The environment is left as it is, so that a child process started by hand
	// in a shell below a unit does not speak for it: it checks WATCHDOG_PID.
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval == 0 {
		return
	}
	tick := time.NewTicker(interval / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if alive() {
				tellSystemd(daemon.SdNotifyWatchdog)
			}
		}
	}
}

// pulse tells whether the worker has turned since it was asked last. An idle
// worker turns twice a second.
func (w *worker) pulse(last *uint64) bool {
	now := w.beats.Load()
	moved := now != *last
	*last = now
	return moved
}
