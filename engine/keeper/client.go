package keeper

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"bootstorm/engine/link"
	"bootstorm/engine/span"
)

// Program is how the daemon starts itself again. It stays the same program when
// the file is replaced by an upgrade (proc_pid_exe(5)).
const Program = "/proc/self/exe"

// News is what the keeper has to say of its own accord.
type News struct {
	View *net.UnixConn // the engine's end of the feed of a view that was started; nil: there is text
	Text string        // for the log
	Warn bool          // it is a warning
}

// Client is the engine's side. Make one with Start.
type Client struct {
	conn    *net.UnixConn
	process *os.Process
	ended   chan struct{} // the process has ended
	news    chan News
	opened  chan answer

	mu     sync.Mutex // one question at a time
	closed bool
}

// answer is the answer to a question.
type answer struct {
	message
	fds []int
}

// Started is a keeper that has been started, by this program or by the one in
// whose place it was executed.
type Started struct {
	Conn *os.File // the engine's end
	PID  int
}

// Start starts the keeper by its command line, which ends in Process. The files
// become its descriptors from FirstFile on. Nothing it says is lost until Client is
// called. The thread that starts it must not end before the keeper does.
func Start(args []string, files []*os.File) (*Started, error) {
	ours, theirs, err := pair(syscall.SOCK_SEQPACKET)
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	cmd := exec.Command(Program, args...)
	cmd.Args[0] = "bootstorm" // for ps
	// GODEBUG means the engine: the companions' collections are not its own.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GODEBUG=") })
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = append([]*os.File{theirs}, files...)
	// Its own group, so that Ctrl-C at a terminal is the engine's alone: it ends
	// the others when it is done. The runtime ends no thread that runs Go code
	// for long, so the death signal means the process.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		ours.Close()
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w; mount /proc and have /dev/null, as every container engine does", err)
		}
		return nil, fmt.Errorf("start the keeper: %w", err)
	}
	pid := cmd.Process.Pid
	return &Started{Conn: ours, PID: pid}, cmd.Process.Release()
}

// Client begins to listen to the keeper.
func (s *Started) Client() (c *Client, err error) {
	c = &Client{ended: make(chan struct{}), news: make(chan News, 16), opened: make(chan answer, 1)}
	if c.conn, err = conn(s.Conn); err != nil {
		return nil, err
	}
	if c.process, err = os.FindProcess(s.PID); err != nil {
		return nil, err
	}
	go func() {
		c.process.Wait()
		close(c.ended)
	}()
	go c.listen()
	return c, nil
}

// listen takes what the keeper says, until it ends.
func (c *Client) listen() {
	defer close(c.news)
	defer close(c.opened)
	for {
		m, fds, err := receive(c.conn)
		if err != nil {
			return
		}
		switch {
		case m.Kind == kindView && len(fds) == 1:
			if feed, err := conn(os.NewFile(uintptr(fds[0]), "feed")); err == nil {
				c.news <- News{View: feed}
			}
		case m.Kind == kindSay || m.Kind == kindWarn:
			c.news <- News{Text: m.Text, Warn: m.Kind == kindWarn}
		case m.Kind == kindOpened:
			c.opened <- answer{m, fds}
		default:
			closeAll(fds)
		}
	}
}

// News returns what the keeper says; the channel ends with the keeper.
func (c *Client) News() <-chan News { return c.news }

// errEnded is what is wrong when the keeper is not there any more.
var errEnded = errors.New("the process that opens sockets has ended; restart the server")

// openTime is how long the keeper may take to open sockets.
const openTime = 5 * time.Second

// Packet opens a packet socket on an interface, given by its place in the list of
// names at the start; it makes the Client a link.Opener.
func (c *Client) Packet(number int) (fd int, err error) {
	fds, err := c.open(message{Kind: kindPacket, Interface: number})
	if err != nil {
		return -1, err
	}
	if len(fds) != 1 {
		closeAll(fds)
		return -1, fmt.Errorf("%d packet sockets came instead of one", len(fds))
	}
	return fds[0], nil
}

// Reserve holds the ports of an interface, given by its place in the list of
// names at the start.
func (c *Client) Reserve(number int) (link.Reservation, error) {
	return c.open(message{Kind: kindReserve, Interface: number})
}

// open asks for sockets.
func (c *Client) open(m message) ([]int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := send(c.conn, m); err != nil {
		return nil, fmt.Errorf("%w (%v)", errEnded, err)
	}
	select {
	case a, ok := <-c.opened:
		if !ok {
			return nil, errEnded
		}
		if a.Error != "" {
			closeAll(a.fds)
			err := errors.New(a.Error)
			if a.Gone {
				err = &link.DownError{Gone: true, Err: err}
			}
			return nil, err
		}
		return a.fds, nil
	case <-time.After(openTime):
		// An answer that comes later would be taken for that to the next question.
		c.conn.Close()
		return nil, fmt.Errorf("the process that opens sockets (%d) has not answered within %s; restart the server", c.process.Pid, span.Exact(openTime))
	}
}

// EndView has the keeper end the view, which hangs, and start another. It does not
// wait.
func (c *Client) EndView() error { return send(c.conn, message{Kind: kindHangs}) }

// Pid is the keeper's process.
func (c *Client) Pid() int { return c.process.Pid }

// closeTime is how long the keeper and the view may take to end.
const closeTime = time.Second

// Close ends the keeper, and the view with it.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	c.conn.CloseWrite() // says so to the keeper
	select {
	case <-c.ended:
	case <-time.After(closeTime):
		c.process.Kill()
	}
	c.conn.Close()
	for range c.news { // the end of listen
	}
}
