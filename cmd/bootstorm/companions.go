package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"

	"bootstorm/engine"
	"bootstorm/engine/capture"
	"bootstorm/engine/keeper"
	"bootstorm/engine/sandbox"
	"bootstorm/engine/view"
)

// serve is three processes of this program. This one becomes the engine. Before
// it gives up anything it opens what the view listens on and starts the keeper
// (a hidden command), which starts the view (another one).

// Defaults of the view.
const (
	defaultHTTP = "127.0.0.1:8067"
	runRoot     = "/run/bootstorm" // below it, a directory for each first interface
	off         = "off"
)

// Names of the files in the run directory.
const (
	viewSocket    = "view.sock"
	controlSocket = "control.sock"
	tokenFile     = "token"
)

// tokenVariable hands the token of the page to the view, through its environment.
const tokenVariable = "BOOTSTORM_TOKEN"

// Names of the listeners, for --listeners of the view.
const (
	listenHTTP    = "http"
	listenView    = "view"
	listenControl = "control"
	keptFrames    = "frames" // no listener: the memory of a worker's last frames
)

// companions collects what the keeper and the view are started with.
type companions struct {
	log   *zap.Logger
	files []*os.File
	names []string // of the files
	token string
}

// startKeeper starts the keeper, and through it the view; nil if neither is wanted.
func (o *serveOptions) startKeeper(log *zap.Logger) (*keeper.Client, error) {
	if o.view == off && o.Sandbox == off {
		return nil, nil
	}
	// The death of the thread that starts the keeper is the keeper's, and the
	// one that executes another program lives on in that.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c := companions{log: log}
	defer c.close()
	dir := o.runDirectory()
	var frames []*os.File
	if o.view != off { // without it, nobody could read the frames
		o.listen(&c, dir)
		var err error
		if frames, err = o.prepareFrames(&c); err != nil {
			return nil, err
		}
	}
	os.Setenv(tokenVariable, c.token)
	started, err := keeper.Start(o.keeperArgs(&c, dir), c.files)
	os.Unsetenv(tokenVariable)
	if err != nil {
		return nil, err
	}
	if o.Sandbox != off && sandbox.Ambient() {
		log.Warn(fmt.Sprintf("capabilities are kept: this program could not be executed without them: %v", executeAgain(started, frames)))
	}
	if err := o.adoptFrames(frames); err != nil {
		return nil, err
	}
	return started.Client()
}

// prepareFrames makes memory for the last frames of each worker. The view has it
// from the start: it may begin to read at any time.
func (o *serveOptions) prepareFrames(c *companions) (all []*os.File, err error) {
	if o.capture == 0 {
		return nil, nil
	}
	for range o.Workers {
		files, err := capture.PrepareLanes(int(o.capture<<20) / o.Workers)
		if err != nil {
			return nil, fmt.Errorf("%w; --capture-memory 0 does without, and bootstorm capture then has nothing to save", err)
		}
		for _, file := range files {
			c.add(keptFrames, file)
		}
		all = append(all, files...)
	}
	return all, nil
}

// adoptFrames has each worker write its frames there.
func (o *serveOptions) adoptFrames(files []*os.File) error {
	for files := range slices.Chunk(files, capture.LaneFiles) {
		lanes, err := capture.AdoptLanes(files)
		if err != nil {
			return err
		}
		links := slices.Clone(o.Interfaces)
		for i, name := range slices.Compact(links) {
			lanes.Name(i, name)
		}
		o.Captures = append(o.Captures, lanes)
	}
	return nil
}

// runDirectory is where the sockets are.
func (o *serveOptions) runDirectory() string {
	if o.runDir != "" {
		return o.runDir
	}
	return filepath.Join(runRoot, o.Interfaces[0])
}

// keeperArgs is the keeper's command line. It ends in the view's.
func (o *serveOptions) keeperArgs(c *companions, dir string) []string {
	args := []string{"keeper", "--files", fmt.Sprint(len(c.files)), "--sandbox", o.Sandbox, "--user", o.User}
	for _, name := range o.Interfaces {
		args = append(args, "--interface", name)
	}
	if o.view == off {
		return args
	}
	args = append(args, "--", "view", "--sandbox", o.Sandbox, "--listeners", strings.Join(c.names, ","), "--log-level", o.level, "--log-format", o.format)
	if c.token != "" {
		args = append(args, "--token-file", filepath.Join(dir, tokenFile))
	}
	if host, _, err := net.SplitHostPort(o.http); err == nil && host != "" {
		args = append(args, "--host", host)
	}
	return append(args, o.hooks.args()...)
}

// listen opens what the view listens on. What cannot be had is told, and does not
// stop the server.
func (o *serveOptions) listen(c *companions, dir string) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		c.log.Warn(fmt.Sprintf("no sockets for bootstorm status, watch and boot: %v; make the directory, or name another with --run-dir", err))
	} else {
		for _, s := range []struct {
			name, file string
			mode       fs.FileMode
		}{{listenView, viewSocket, 0o666}, {listenControl, controlSocket, 0o600}} {
			if err := c.listenUnix(s.name, filepath.Join(dir, s.file), s.mode); err != nil {
				c.log.Warn(fmt.Sprintf("bootstorm status, watch and boot cannot ask this server: %v; name another directory with --run-dir", err))
				break
			}
		}
	}
	if o.http != off {
		c.listenHTTP(o.http, dir)
	}
}

// listenHTTP opens the address of the page, and makes the token with which the
// page may change something.
func (c *companions) listenHTTP(address, dir string) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		c.log.Warn(fmt.Sprintf("the page is not served: %s; name another address with --http, or --http off; bootstorm status and watch work without it", why(address, err)))
		return
	}
	defer l.Close()
	if c.token, err = view.NewToken(filepath.Join(dir, tokenFile)); err != nil {
		c.log.Warn(fmt.Sprintf("%v: the page shows everything and changes nothing", err))
	}
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		c.log.Warn(fmt.Sprintf("the page is not served: %v", err))
		return
	}
	c.log.Info(fmt.Sprintf("page: http://%s/", l.Addr()))
	c.add(listenHTTP, f)
}

// why words what keeps an address from being listened on.
func why(address string, err error) string {
	var deeper *net.OpError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return address + " is in use by another program (ss -tlnp shows which)"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return address + " is no address of this machine"
	case errors.As(err, &deeper):
		return fmt.Sprintf("%s: %v", address, deeper.Err)
	}
	return err.Error()
}

// listenUnix makes a socket that whom the mode admits may connect to.
func (c *companions) listenUnix(name, path string, mode fs.FileMode) error {
	if err := clearSocket(path); err != nil {
		return err
	}
	// Nobody gets in before the mode is right.
	mask := syscall.Umask(0o177)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	syscall.Umask(mask)
	if err != nil {
		return fmt.Errorf("%s cannot be made: %w", path, errors.Unwrap(err))
	}
	defer l.Close()
	l.SetUnlinkOnClose(false)
	if err := os.Chmod(path, mode); err != nil {
		return err
	}
	f, err := l.File()
	if err != nil {
		return err
	}
	c.add(name, f)
	return nil
}

// connectTime is how long a server may take to accept, leaveTime how long one
// that is being stopped may take to leave its socket.
const (
	connectTime = time.Second
	leaveTime   = 2 * time.Second
)

// clearSocket removes the socket of a server that has ended, or ends now. One
// that stays in use stays.
func clearSocket(path string) error {
	for end := time.Now().Add(leaveTime); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.DialTimeout("unix", path, connectTime)
		switch {
		case err == nil:
			c.Close()
			if time.Now().After(end) {
				return fmt.Errorf("%s is another running server's", path)
			}
			continue
		case errors.Is(err, syscall.ECONNREFUSED):
			return os.Remove(path)
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case errors.Is(err, fs.ErrPermission):
			return fmt.Errorf("no right to use %s", path)
		}
		return fmt.Errorf("%s: %w", path, err)
	}
}

func (c *companions) add(name string, f *os.File) {
	c.files, c.names = append(c.files, f), append(c.names, name)
}

// close closes the files, which the keeper has by now.
func (c *companions) close() {
	for _, f := range c.files {
		f.Close()
	}
}

// checkView tells what is wrong with the values of the view's flags.
func (o *serveOptions) checkView() error {
	if o.view != "on" && o.view != off {
		return fmt.Errorf("--view %s: on or off", o.view)
	}
	if _, err := o.hooks.make(nil); err != nil {
		return err
	}
	if o.http == off {
		return nil
	}
	_, port, err := net.SplitHostPort(o.http)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil || port == "" {
		return fmt.Errorf("--http %s: give an address and a port, as in %s, or off", o.http, defaultHTTP)
	}
	return nil
}

// explainNode answers what the view asks: what the node's firmware, its iPXE and
// its installed system would get, or the one of them that is asked for.
func explainNode(x engine.Explanation) (string, error) {
	mac, err := parseMAC(x.Request.Node)
	if err != nil {
		return "", err
	}
	kinds := node{mac: mac}.stages()
	if a := x.Request.Arch; a != nil {
		kinds = []node{{mac: mac, arch: int(*a), userClass: x.Request.UserClass}}
	}
	var out strings.Builder
	for i := range kinds {
		if i > 0 {
			out.WriteString("\n\n")
		}
		r := report{out: &out, setup: x.Setup, core: x.Core, link: x.Link, node: &kinds[i], root: x.Setup.Files.Root}
		r.answer = x.Core.Explain(kinds[i].discover(), 0, x.Now)
		r.print()
	}
	return out.String(), nil
}

// archUEFI is the architecture of 64-bit UEFI firmware (option 93, RFC 4578).
const archUEFI = 7
