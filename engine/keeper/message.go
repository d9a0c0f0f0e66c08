package keeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// message is what the two sides say to each other.
type message struct {
	Kind  string `json:"kind"`
	Text  string `json:"text,omitempty"`  // say: for the log
	Error string `json:"error,omitempty"` // opened: why not
	Gone  bool   `json:"gone,omitempty"`  // opened: the interface does not exist
	// reserve: the interface, by its place in the list of names at the start.
	Interface int `json:"interface,omitempty"`
}

// The kinds of messages.
const (
	kindView    = "view"    // from the keeper: a view was started, with the engine's end of its feed
	kindSay     = "say"     // from the keeper: something for the log
	kindWarn    = "warn"    // likewise, as a warning
	kindPacket  = "packet"  // from the engine: open a packet socket
	kindReserve = "reserve" // from the engine: hold the ports of an interface
	kindHangs   = "hangs"   // from the engine: the view hangs, end it; there is no answer
	kindOpened  = "opened"  // from the keeper: the answer to these, with descriptors
)

// Limits of a message.
const (
	maxMessage = 4 << 10
	maxFiles   = 250 // SCM_MAX_FD is 253
)

// send sends a message with descriptors, which stay open here.
func send(c *net.UnixConn, m message, fds ...int) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(b) > maxMessage {
		return fmt.Errorf("a message of %d bytes to the other process", len(b))
	}
	var rights []byte
	if len(fds) > 0 {
		rights = syscall.UnixRights(fds...)
	}
	_, _, err = c.WriteMsgUnix(b, rights, nil)
	return err
}

// receive waits for a message. Its descriptors are closed on exec.
func receive(c *net.UnixConn) (m message, fds []int, err error) {
	b, oob := make([]byte, maxMessage), make([]byte, syscall.CmsgSpace(4*maxFiles))
	// The flag MSG_CMSG_CLOEXEC is the library's.
	n, k, flags, _, err := c.ReadMsgUnix(b, oob)
	if err != nil {
		return m, nil, err
	}
	if n == 0 {
		return m, nil, net.ErrClosed
	}
	if fds, err = rightsOf(oob[:k]); err == nil && flags&(syscall.MSG_TRUNC|syscall.MSG_CTRUNC) != 0 {
		err = errors.New("a message from the other process was cut")
	}
	if err == nil {
		err = json.Unmarshal(b[:n], &m)
	}
	if err != nil {
		closeAll(fds)
		return m, nil, err
	}
	return m, fds, nil
}

// rightsOf returns the descriptors of control messages.
func rightsOf(oob []byte) (fds []int, err error) {
	list, err := syscall.ParseSocketControlMessage(oob)
	for i := range list {
		got, e := syscall.ParseUnixRights(&list[i])
		fds, err = append(fds, got...), errors.Join(err, e)
	}
	return fds, err
}

func closeAll(fds []int) {
	for _, fd := range fds {
		syscall.Close(fd)
	}
}

// pair makes two connected sockets of a kind (socketpair(2)).
func pair(kind int) (a, b *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, kind|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return os.NewFile(uintptr(fds[0]), "pair"), os.NewFile(uintptr(fds[1]), "pair"), nil
}

// conn makes a connection of a socket, whose file is closed.
func conn(f *os.File) (*net.UnixConn, error) {
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, fmt.Errorf("descriptor %s is no Unix socket", f.Name())
	}
	return u, nil
}
