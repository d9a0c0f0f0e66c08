package hook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"bootstorm/engine/span"
	"bootstorm/engine/story"
)

// post sends the event to the URL.
func (h *Hook) post(ctx context.Context, body []byte) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, h.c.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("User-Agent", "bootstorm")
	a, err := h.client.Do(q)
	if err != nil {
		var u *url.Error // names the whole URL, which may hold a secret
		if errors.As(err, &u) {
			err = u.Err
		}
		return err
	}
	defer a.Body.Close()
	_, _ = io.CopyN(io.Discard, a.Body, maxAnswer)
	switch {
	case a.StatusCode < 300:
		return nil
	case a.StatusCode == http.StatusTooManyRequests || a.StatusCode == http.StatusRequestTimeout || a.StatusCode >= 500:
		return fmt.Errorf("it answered %s", a.Status)
	}
	return fmt.Errorf("%w: it answered %s", errRefused, a.Status)
}

// run executes the command with the event as its standard input. Its environment
// has a search path and what the event is about, nothing of the daemon's.
func (h *Hook) run(ctx context.Context, body []byte) error {
	var t story.Told
	if err := json.Unmarshal(body, &t); err != nil {
		return err
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, h.c.Command)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "BOOTSTORM_KIND=" + t.Kind, "BOOTSTORM_TEXT=" + plain(t.Text),
		"BOOTSTORM_MAC=" + t.Node.MAC, "BOOTSTORM_HOST=" + plain(t.Node.Host), "BOOTSTORM_ADDRESS=" + t.Node.Address}
	cmd.Stdin = bytes.NewReader(body)
	cmd.Stderr = &some{w: &said, left: 512}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what it starts ends with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("it took longer than %s", span.Exact(h.c.Time))
		}
		if text := strings.TrimSpace(said.String()); text != "" {
			err = fmt.Errorf("%w: %s", err, plain(text))
		}
		return err
	}
	return nil
}

// plain keeps text on one line and without what an environment cannot hold.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// some keeps the first bytes that are written and takes the rest.
type some struct {
	w    io.Writer
	left int
}

// Write implements io.Writer.
func (s *some) Write(p []byte) (int, error) {
	n := min(len(p), s.left)
	s.left -= n
	if _, err := s.w.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}
