// Command boot boots real UEFI machines (QEMU, OVMF) the guide's way: their
// firmware gets an address and ipxe.efi from Node 0, iPXE its script, then
// rEFInd, and rEFInd starts the boot loader of the local disk. Everything
// happens in private namespaces. It succeeds only if every machine got there,
// on each of its boots, with one address of the guide's pool each, and if the
// capture shows all files byte for byte.
//
// With --compare it boots one machine again and again instead: from the pair of
// servers that the guide installs, from bootstorm, and from bootstorm without
// one or all of its defaults for a node that is booting, and reads from the
// captures when the boots reached which point.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"bootstorm/tools/guide"
	"bootstorm/tools/lab"
)

// options are the command line.
type options struct {
	machines  int
	reboots   int
	memory    int // MiB for each machine
	timeout   time.Duration
	out       string
	bootstorm string
	server    string // shell command instead of bootstorm

	compare bool   // against the guide's pair, and with defaults off
	runs    int    // boots of each variant
	only    string // variants, by comma
	json    string // where the comparison's result is written
	from    string // a result to show instead of booting
	readme  string // document that gets the table
}

func parseOptions() (o options, err error) {
	flag.IntVar(&o.machines, "machines", 1, "how many machines boot at once; the guide has addresses for 4")
	flag.IntVar(&o.reboots, "reboots", 0, "how often each machine is reset after it has booted")
	flag.IntVar(&o.memory, "memory", 256, "MiB of memory for each machine")
	flag.DurationVar(&o.timeout, "timeout", 0, "give up after this time (default: by machines and boots)")
	flag.StringVar(&o.out, "out", "build/boot", "directory for logs, capture and screenshots")
	flag.StringVar(&o.bootstorm, "bootstorm", "build/bootstorm", "the server program")
	flag.StringVar(&o.server, "server", "", "shell command of another server; it sees LAB_IF, LAB_CONF and LAB_ROOT and stays in the foreground")
	flag.BoolVar(&o.compare, "compare", false, "boot from the guide's pair (dhcpd, tftpd-hpa), from bootstorm, and from bootstorm with each default for booting nodes off, in turn")
	flag.IntVar(&o.runs, "runs", 3, "with --compare: boots of each")
	flag.StringVar(&o.only, "variants", "", "with --compare: these only, by comma ("+variantNames()+")")
	flag.StringVar(&o.json, "json", "", "with --compare: file for the result (default: compare.json in --out)")
	flag.StringVar(&o.from, "from", "", "with --compare: show the result of this file again, without a boot")
	flag.StringVar(&o.readme, "readme", "", "with --compare: document whose table is written anew")
	flag.Parse()
	switch {
	case flag.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flag.Arg(0))
	case o.machines < 1 || o.machines > len(guide.Pool):
		return o, fmt.Errorf("--machines must be 1 to %d: the guide has that many addresses", len(guide.Pool))
	case o.compare && (o.machines != 1 || o.reboots != 0 || o.server != ""):
		return o, errors.New("--compare boots one machine, once, from servers of its own: leave out --machines, --reboots and --server")
	case !o.compare && (o.only != "" || o.json != "" || o.from != "" || o.readme != ""):
		return o, errors.New("--variants, --json, --from and --readme need --compare")
	case o.runs < 1:
		return o, errors.New("--runs must be at least 1")
	case o.reboots < 0:
		return o, errors.New("--reboots must not be negative")
	}
	if o.timeout == 0 {
		// An emulated boot takes 25 to 60 s of processor time.
		o.timeout = time.Minute + time.Duration(o.machines*(1+o.reboots))*75*time.Second
	}
	o.out, err = filepath.Abs(o.out)
	return o, err
}

func main() {
	o, err := parseOptions()
	if err == nil && o.from != "" {
		err = again(o)
	} else if err == nil {
		if err = lab.Enter(); err == nil {
			if o.compare {
				err = compare(o)
			} else {
				err = boot(o)
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "boot:", err)
		os.Exit(1)
	}
}

// boot does it all.
func boot(o options) error {
	if err := claim(o.out); err != nil {
		return err
	}
	l, err := lab.New()
	if err != nil {
		return err
	}
	defer l.Close()
	r := &run{options: o, lab: l, started: time.Now()}
	if err := errors.Join(os.RemoveAll(o.out), os.MkdirAll(o.out, 0o755)); err != nil {
		return err
	}
	for _, step := range []func() error{r.build, r.network, r.serve, r.powerOn, r.watch} {
		if err := step(); err != nil {
			return r.explain(err)
		}
	}
	return r.verdict()
}

// claim keeps a second run from using the same directory; the end of the process
// gives it free.
func claim(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	f, err := os.Create(dir + ".lock")
	if err != nil {
		return err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("another run uses %s: choose another directory with --out", dir)
	}
	return nil
}
