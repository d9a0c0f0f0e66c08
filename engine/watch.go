package engine

import (
	"context"

	"github.com/coreos/go-systemd/v22/daemon"

	"bootstorm/engine/image/load"
)

// watchFiles calls onChange after changes below root, until stop is closed.
func watchFiles(root string, onChange func(), stop <-chan struct{}) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return load.Watch(ctx, root, onChange)
}

// monotonic is the time stamp that a reload notification must carry
// (sd_notify(3)).
func monotonic() string { return daemon.SdNotifyMonotonicUsec() }
