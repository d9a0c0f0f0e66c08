//go:build linux

package peers

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// neighbourFiles are the limits of the kernel's ARP table (arp(7)). The table is
// one for the whole machine: 1,024 entries unless somebody raises it, and a server
// that sends from a UDP socket needs one for each node. Beyond it, what it sends
// is dropped. Namespaces do not have these files.
var neighbourFiles = []string{"gc_thresh1", "gc_thresh2", "gc_thresh3"}

const (
	neighbourDir = "/proc/sys/net/ipv4/neigh/default/"
	// neighbourEnv carries the open files into the private world.
	neighbourEnv = "BOOTSTORM_PEERS_NEIGHBOURS"
	// tunedNeighbours is what an expert sets for a network of some ten thousand.
	tunedNeighbours = "32768"
)

// OpenNeighbourLimits opens the limits for Compare. It must be called before
// lab.Enter, and does nothing inside of it. Where they cannot be opened tuned
// servers do without, and the Result says so.
func OpenNeighbourLimits() {
	if os.Getenv(neighbourEnv) != "" {
		return
	}
	var numbers []string
	for _, name := range neighbourFiles {
		fd, err := unix.Open(neighbourDir+name, unix.O_RDWR, 0) // without O_CLOEXEC: inherited
		if err != nil {
			return
		}
		numbers = append(numbers, strconv.Itoa(fd))
	}
	os.Setenv(neighbourEnv, strings.Join(numbers, ","))
}

// neighbours are the limits, and what they were before raise.
type neighbours struct {
	files []*os.File
	old   []string
}

// inheritNeighbours takes over what OpenNeighbourLimits has opened; without it
// there are no files, and raise does nothing.
func inheritNeighbours() *neighbours {
	n := new(neighbours)
	for _, text := range strings.FieldsFunc(os.Getenv(neighbourEnv), func(r rune) bool { return r == ',' }) {
		fd, err := strconv.Atoi(text)
		if err != nil {
			return new(neighbours)
		}
		unix.CloseOnExec(fd) // not for the servers
		n.files = append(n.files, os.NewFile(uintptr(fd), neighbourDir))
	}
	return n
}

// raise sets the limits of a tuned server; restore puts back what was there.
func (n *neighbours) raise() error {
	n.old = nil
	for _, f := range n.files {
		var b [32]byte
		size, err := f.ReadAt(b[:], 0)
		if size == 0 {
			return fmt.Errorf("limits of the ARP table: %w", err)
		}
		n.old = append(n.old, string(b[:size]))
		if _, err := f.WriteAt([]byte(tunedNeighbours), 0); err != nil {
			return errors.Join(fmt.Errorf("limits of the ARP table: %w", err), n.restore())
		}
	}
	return nil
}

func (n *neighbours) restore() (err error) {
	for i, text := range n.old {
		_, e := n.files[i].WriteAt([]byte(text), 0)
		err = errors.Join(err, e)
	}
	n.old = nil
	return err
}
