package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// RunDir is where each daemon keeps its sockets, in a directory named after its
// interface.
const RunDir = "/run/bootstorm"

// socket is the name of the socket that answers questions; everybody may ask.
const socket = "view.sock"

// Target says which daemon is meant.
type Target struct {
	Interface string // "" where there is only one
	RunDir    string // RunDir unless the daemon was told otherwise
	HTTP      string // HOST:PORT or a URL, instead of a socket
}

// UnreachableError says that there is no daemon to ask, or no way to it: what
// was tried, and what to do.
type UnreachableError struct{ text string }

// Error returns the message.
func (e *UnreachableError) Error() string { return e.text }

func unreachable(format string, args ...any) error {
	return &UnreachableError{fmt.Sprintf(format, args...)}
}

// Open finds the daemon. It makes no request yet.
func Open(t Target) (*Client, error) {
	if t.HTTP != "" {
		return openHTTP(t.HTTP)
	}
	return openSocket(t, socket)
}

// control is the socket for whoever may change something; its mode says who.
const control = "control.sock"

// OpenControl finds the daemon for changes, which go by its own socket only. It
// makes no request yet.
func OpenControl(t Target) (*Client, error) {
	if t.HTTP != "" {
		return nil, errors.New("changes go by the daemon's control socket only: leave out --http, and run this as root on Node 0")
	}
	c, err := openSocket(t, control)
	if err == nil { // the timeout of answers from memory is too short for a change
		c.http.Transport.(*http.Transport).ResponseHeaderTimeout = changeTime
	}
	return c, err
}

// openSocket makes a client for one of a daemon's sockets.
func openSocket(t Target, socket string) (*Client, error) {
	name := t.Interface
	if _, err := os.Stat(filepath.Join(t.RunDir, socket)); err == nil && name == "" {
		return dialSocket(filepath.Join(t.RunDir, socket), ""), nil // serve was given that directory
	}
	if name == "" {
		var err error
		if name, err = only(t.RunDir); err != nil {
			return nil, err
		}
	}
	if name != filepath.Base(name) || name == ".." || name == "." {
		return nil, fmt.Errorf("%q is no name of an interface", name)
	}
	return dialSocket(filepath.Join(t.RunDir, name, socket), name), nil
}

// dialSocket makes a client for the socket at a path.
func dialSocket(path, name string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	return newClient(path, name, "http://bootstorm", dial)
}

// defaultPort is the page's, unless serve's flag --http says otherwise.
const defaultPort = "8067"

// openHTTP makes a client for a page's address.
func openHTTP(address string) (*Client, error) {
	if !strings.Contains(address, "://") {
		if _, _, err := net.SplitHostPort(address); err != nil {
			address = net.JoinHostPort(address, defaultPort)
		}
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("--http %s: give HOST:PORT, as serve's flag --http has it", address)
	}
	return newClient(u.Host, "", u.Scheme+"://"+u.Host, nil), nil
}

// interfaces are the names of the directories of sockets.
func interfaces(sockets []string) (names []string) {
	for _, path := range sockets {
		names = append(names, filepath.Base(filepath.Dir(path)))
	}
	return names
}

// dead tells whether nobody listens on a socket any more.
func dead(path string) bool {
	c, err := net.Dial("unix", path)
	if err == nil {
		c.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// only finds the single daemon below dir.
func only(dir string) (string, error) {
	found, err := filepath.Glob(filepath.Join(dir, "*", socket))
	if err != nil {
		return "", fmt.Errorf("--run-dir %s: %w", dir, err)
	}
	names := interfaces(found)
	if len(names) > 1 { // one that was killed leaves its socket behind
		alive := interfaces(slices.DeleteFunc(found, dead))
		if len(alive) == 0 {
			slices.Sort(names)
			return "", unreachable("no daemon runs here any more: those on %s have ended; start one: systemctl start bootstorm@%s", strings.Join(names, ", "), names[0])
		}
		names = alive
	}
	slices.Sort(names)
	switch {
	case len(names) == 1:
		return names[0], nil
	case len(names) > 1:
		return "", unreachable("several daemons run here: choose one with --interface %s", strings.Join(names, ", or --interface "))
	}
	// A directory that may not be read looks empty to a pattern.
	if _, err := os.ReadDir(dir); errors.Is(err, fs.ErrPermission) {
		return "", unreachable("no right to read %s: try again as root (sudo), or name the page's address with --http", dir)
	}
	return "", unreachable("no daemon runs here: there is no socket below %s; start one (systemctl start bootstorm@IF, or bootstorm serve --interface IF), "+
		"or say where it is with --run-dir or --http", dir)
}

// explain words why a request did not reach the daemon.
func (c *Client) explain(err error) error {
	var opening *net.OpError
	if !errors.As(err, &opening) || opening.Op != "dial" {
		var u *url.Error
		if errors.As(err, &u) && u.Timeout() {
			return unreachable("%s: the daemon takes connections but does not answer; its log says why (%s)", c.Where, c.journal())
		}
		if errors.As(err, &u) {
			err = u.Err
		}
		return unreachable("%s: the connection to the daemon broke: %v", c.Where, err)
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return unreachable("no right to use %s: try again as root (sudo)", c.Where)
	case errors.Is(err, fs.ErrNotExist) && c.name != "":
		return unreachable("no daemon runs on %s: there is no %s; start it: systemctl start bootstorm@%s", c.name, c.Where, c.name)
	case errors.Is(err, syscall.ECONNREFUSED) && c.unix():
		on := ""
		if c.name != "" {
			on = " on " + c.name
		}
		return unreachable("the daemon%s does not run any more, or its view is being started again: nobody listens at %s; its log says why (%s)",
			on, c.Where, c.journal())
	case errors.Is(err, syscall.ECONNREFUSED):
		return unreachable("nobody listens at %s: is the daemon running, and is that the address of its flag --http?", c.Where)
	}
	var name *net.DNSError
	if errors.As(err, &name) {
		return unreachable("%s: the name %s has no address that can be found now", c.Where, name.Name)
	}
	return unreachable("%s: %v", c.Where, opening.Err)
}

// unix tells whether the way to the daemon is a socket of its own.
func (c *Client) unix() bool { return filepath.Base(c.Where) == socket }

// journal is where the daemon's log is.
func (c *Client) journal() string {
	if c.name == "" {
		return "journalctl -u 'bootstorm@*'"
	}
	return "journalctl -u bootstorm@" + c.name
}
