// Command demo shows the whole job on one machine: it makes Node 0 and a
// segment of nodes in private network namespaces, serves the guide's
// configuration with real boot files, and boots simulated nodes through the
// guide's sequence, first four of them again and again on the guide's four
// addresses, then a few hundred at once. Every byte is verified. Nothing
// outside of the namespaces is touched, and nothing stays behind.
//
// Exit status: 0 every boot went well; 1 some did not; 2 the demo could not be
// run, and the message says what is missing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"bootstorm/tools/lab"
)

// options are the flags.
type options struct {
	binary string
	nodes  int
	rounds int
	waits  bool
}

func main() {
	var o options
	flag.StringVar(&o.binary, "bootstorm", "build/bootstorm", "the daemon to show")
	flag.IntVar(&o.nodes, "nodes", 300, "nodes of the second act")
	flag.IntVar(&o.rounds, "rounds", 5, "boots of each of the four nodes of the first act")
	flag.BoolVar(&o.waits, "waits", false, "keep the pauses that clients make by themselves: a boot takes 25 s instead of milliseconds")
	flag.Parse()
	if o.nodes < 1 || o.nodes > 10000 || o.rounds < 1 {
		fail(errors.New("between 1 and 10000 nodes and at least one round are possible"))
	}
	files, err := findFiles() // before the namespaces: what is missing should be said at once
	if err == nil {
		_, err = os.Stat(o.binary)
	}
	if err == nil {
		err = lab.Enter()
	}
	if err != nil {
		fail(err)
	}
	// The lab ends the program on these signals; the demo has files to remove first.
	signal.Reset(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ok, err := show(ctx, os.Stdout, &o, files)
	if err != nil {
		fail(err)
	}
	if !ok {
		os.Exit(1)
	}
}

// fail ends the demo with a message.
func fail(err error) {
	fmt.Fprintln(os.Stderr, "demo:", err)
	os.Exit(2)
}

// show plays both acts and writes the summary; ok tells whether every boot
// went well.
func show(ctx context.Context, w io.Writer, o *options, files []bootFile) (ok bool, err error) {
	// On the disk, not in memory: an ACK waits for its lease to be written, and
	// that is part of what is shown.
	dir, err := os.MkdirTemp("", "bootstorm-demo-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	root, contents, err := makeRoot(dir, files)
	if err != nil {
		return false, err
	}
	fmt.Fprintf(w, "The guide's network in a private namespace: Node 0 serves DHCP and TFTP with %s,\n"+
		"simulated nodes boot as UEFI firmware, then iPXE, up to rEFInd. Every byte is compared.\n", o.binary)
	if !o.waits {
		fmt.Fprintln(w, "What the clients wait for by themselves, 20 s and more of a boot, is left out (--waits keeps it).")
	}
	fmt.Fprintf(w, "To see every node boot, in another terminal: %s watch --run-dir %s\n\n", o.binary, runDir(dir))
	var played []*act
	for _, a := range []*act{guideAct(o), crowdAct(o)} {
		fmt.Fprintln(w, a.title)
		if err := a.play(ctx, dir, root, o, contents); err != nil {
			return false, err
		}
		played = append(played, a)
		if ctx.Err() != nil {
			return false, errors.New("interrupted")
		}
		if !a.result.OK() {
			break
		}
	}
	fmt.Fprintln(w)
	return summarize(w, played), nil
}
