package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"bootstorm/cmd/bootstorm/api"
	"bootstorm/cmd/bootstorm/text"
	"bootstorm/cmd/usage"
	"bootstorm/engine/span"
)

// captureCommand makes "bootstorm capture".
func captureCommand() *cobra.Command {
	var where target
	var node string
	cmd := &cobra.Command{
		Use:   "capture [--node NODE] > FILE.pcapng",
		Short: "Save the last DHCP and TFTP frames that the daemon remembers",
		Long: `capture writes the frames that the daemon has received and sent last, so that
"what did that node send" has an answer afterwards. They are always remembered,
in 16 MiB unless serve's --capture-memory says otherwise, without the contents
of files: of a block of TFTP data the headers are kept.

The file is pcapng, with interfaces, directions and wall clock times: Wireshark
and tcpdump -r read it, and bench replay plays it through another configuration.
How many frames it holds, and of when, goes to standard error.` + targetHelp,
		Example: `  # all there is
  bootstorm capture > storm.pcapng

  # one node: by host name, MAC or address
  bootstorm capture --node rack01-node17 > node17.pcapng

  # read it right away
  bootstorm capture --node 52:54:00:12:34:01 | tcpdump -nvr -

  # what would another configuration have answered?
  bench replay storm.pcapng --config new.conf`,
		Args: usage.None("> %s"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return saveCapture(cmd, where.Target, node)
		},
	}
	where.add(cmd)
	cmd.Flags().StringVarP(&node, "node", "n", "", "only the frames of this `NODE`: host name, MAC or address")
	return cmd
}

// saveCapture copies the daemon's capture file to the output.
func saveCapture(cmd *cobra.Command, where api.Target, node string) error {
	out := cmd.OutOrStdout()
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return usageError{errors.New("a capture file is no text for a terminal: send it to a file (> FILE.pcapng) or to a program (| tcpdump -nr -)")}
	}
	c, err := api.Open(where)
	if err != nil {
		return err
	}
	t := &tally{out: out}
	if err := c.Capture(cmd.Context(), node, t); err != nil {
		if t.frames > 0 {
			err = fmt.Errorf("after %s frames: %w", text.Count(int64(t.frames)), err)
		}
		return err
	}
	fmt.Fprintln(cmd.ErrOrStderr(), t.sentence(node))
	return nil
}

// tally counts the frames of a pcapng stream that passes through it.
type tally struct {
	out         io.Writer
	rest        []byte // of a block that is not whole yet
	frames      int
	first, last time.Time
}

// Write passes bytes on.
func (t *tally) Write(b []byte) (int, error) {
	n, err := t.out.Write(b)
	t.rest = append(t.rest, b[:n]...)
	// Blocks begin with their type and length; that of a frame has its time,
	// nanoseconds since 1970 as the daemon writes it, in bytes 12 to 19.
	for len(t.rest) >= 8 {
		size := int(binary.LittleEndian.Uint32(t.rest[4:]))
		if size < 12 || size > 1<<20 { // not ours: it is passed on all the same
			t.rest = nil
			break
		}
		if len(t.rest) < size {
			break
		}
		if binary.LittleEndian.Uint32(t.rest) == 6 && size >= 32 {
			t.frame(t.rest)
		}
		t.rest = t.rest[size:]
	}
	return n, err
}

// frame counts one.
func (t *tally) frame(block []byte) {
	at := time.Unix(0, int64(binary.LittleEndian.Uint32(block[12:]))<<32|int64(binary.LittleEndian.Uint32(block[16:])))
	if t.frames == 0 {
		t.first = at
	}
	t.frames++
	t.last = at
}

// sentence says what was saved.
func (t *tally) sentence(node string) string {
	of := ""
	if node != "" {
		of = " of " + text.Clean(node)
	}
	if t.frames == 0 {
		return fmt.Sprintf("no frames%s: none came since the daemon started, later ones have taken their place (serve's --capture-memory sets how many are kept), or none are kept", of)
	}
	return fmt.Sprintf("%s frames%s, from %s to %s (%s)", text.Count(int64(t.frames)), of,
		t.first.Local().Format("2006-01-02 15:04:05"), t.last.Local().Format("15:04:05"), span.Text(t.last.Sub(t.first)))
}
