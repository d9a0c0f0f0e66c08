package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"bootstorm/cmd/usage"
	"bootstorm/engine/batch"
	"bootstorm/engine/lease"
	"bootstorm/pcap"
)

// replayFlags are the command line of bench replay.
type replayFlags struct {
	config      string
	address     string
	server      string
	root        string
	leases      string
	write       string
	differences string
	verbose     bool
}

const replayLong = `replay feeds the client frames of captures (pcap or pcapng) through bootstorm's core, at the captures' own times, and
compares the answers with those of the server that was captured: every DHCP field and option, and for TFTP the options,
errors and blocks. It needs no privilege and sends nothing.

The captured server is the machine that sends DHCP answers or is asked for files. Without --config the configuration is
derived from its address, as the daemon does without a file. The files of the captured transfers are replaced by a
pattern of the same length unless --tftp-root names a folder with the real ones. A folder of captures may hold a
manifest.txt that says all this for each capture; flags win over it.

Differences that are on the reviewed list of --differences are shown with their reason and do not count. An entry of the
list is a line "captures | messages | request | field | ours | theirs", in which * stands for any text and commas separate
several captures or messages, and the reason on indented lines below it.

Exit status: 0 nothing differs, or every difference is on the list; 1 something else differs; 2 a file cannot be read,
the configuration has errors, or the usage is wrong.`

// replayCommand is `bench replay`.
func replayCommand() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay FILE…",
		Short: "Replay captures through the core and compare the answers",
		Long:  replayLong,
		Example: `  bench replay pcap/testdata/uefi-x64-guide.pcap
  bench replay site.pcapng --config /etc/dhcp/dhcpd.conf --tftp-root /srv/tftp
  bench replay site.pcap --write answers.pcap --verbose`,
		Args: usage.Args(1, -1, "a capture file", ""),
		RunE: func(cmd *cobra.Command, files []string) error {
			return f.run(cmd.OutOrStdout(), cmd.ErrOrStderr(), files)
		},
	}
	c.Flags().StringVar(&f.config, "config", "", "answer by this dhcpd.conf `FILE`")
	c.Flags().StringVar(&f.address, "interface-address", "", "our `ADDRESS/LENGTH` (default: the captured server's)")
	c.Flags().StringVar(&f.server, "server", "", "the captured server's `ADDRESS`, if the capture shows several servers")
	c.Flags().StringVar(&f.root, "tftp-root", "", "`DIR` with the real boot files, to compare bytes")
	c.Flags().StringVar(&f.leases, "lease-file", "", "dhcpd.leases `FILE` as it was when the capture began (default: the leases that the capture implies)")
	c.Flags().StringVar(&f.write, "write", "", "write the replayed conversation, with our answers, to `OUT.pcap` (or .pcapng)")
	c.Flags().StringVar(&f.differences, "differences", "", "`FILE` with the reviewed list of differences")
	c.Flags().BoolVar(&f.verbose, "verbose", false, "list every difference instead of one line per kind")
	return c
}

// run replays all files; it goes on after a difference, but not after trouble.
func (f *replayFlags) run(out, log io.Writer, files []string) error {
	if f.write != "" && len(files) > 1 {
		return errors.New("--write takes the answers to one capture; name only one")
	}
	lists := make(map[string]pcap.List)
	open := 0
	for _, name := range files {
		n, err := f.one(out, log, name, lists)
		if err != nil {
			return err
		}
		open += n
	}
	if len(files) > 1 {
		fmt.Fprintf(out, "%d captures: %s\n", len(files), verdict(open))
	}
	if open > 0 {
		return errDifferent
	}
	return nil
}

// one replays one file and returns how many differences are not on its list.
func (f *replayFlags) one(out, log io.Writer, name string, lists map[string]pcap.List) (open int, err error) {
	c, err := pcap.ReadFile(name)
	if err != nil {
		return 0, err
	}
	for _, w := range c.Warnings {
		fmt.Fprintf(log, "%s: %s\n", name, w)
	}
	k, err := f.settings(name)
	if err != nil {
		return 0, err
	}
	list, err := reviewed(k.Differences, lists)
	if err != nil {
		return 0, err
	}
	survey, err := pcap.Look(c, k.Server)
	if err != nil {
		return 0, fmt.Errorf("%s: %w (--server)", name, err)
	}
	o, warnings, err := f.prepare(k, survey)
	for _, w := range warnings {
		fmt.Fprint(log, w)
	}
	if err != nil {
		return 0, err
	}
	o.Capture, o.Progress = c, progress(log, name)
	r, err := f.replay(o)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	open = list.Review(r.Differences)
	show(out, r, open, f.verbose)
	return open, nil
}

// settings are the manifest's for the file, overridden by flags.
func (f *replayFlags) settings(name string) (k *pcap.Case, err error) {
	if k, err = pcap.FindCase(name); err != nil {
		return nil, err
	}
	if k == nil {
		k = new(pcap.Case)
	}
	if f.config != "" {
		// The manifest's hosts belong to its own file; the operator's has its own.
		k.Config, k.Hosts = f.config, nil
	}
	if f.differences != "" {
		k.Differences = f.differences
	}
	if f.server != "" {
		k.Server = pcap.Server{}
		k.Server.Addr, _, err = pcap.ParsePrefix(f.server + "/32")
	}
	return k, err
}

// prepare builds our side as the flags and the manifest describe it.
func (f *replayFlags) prepare(k *pcap.Case, s *pcap.Survey) (o pcap.Options, warnings []string, err error) {
	site := pcap.Site{Config: k.Config, Hosts: k.Hosts, Files: k.Files, TFTPRoot: f.root}
	if f.address != "" {
		if site.Address, site.Mask, err = pcap.ParsePrefix(f.address); err != nil {
			return o, nil, err
		}
	}
	if f.leases != "" {
		held, err := lease.Read(f.leases)
		if err != nil {
			return o, nil, err
		}
		site.Leases = append([]batch.Lease{}, held.Leases...) // not nil, also when the file is empty
	}
	return pcap.Prepare(site, s)
}

// replay runs it, writing the conversation if that was asked for.
func (f *replayFlags) replay(o pcap.Options) (*pcap.Result, error) {
	if f.write == "" {
		return pcap.Run(o)
	}
	w, err := pcap.Create(f.write, true)
	if err != nil {
		return nil, err
	}
	var failed error // the first one; a full disk fails every frame after it
	o.Frame = func(at int64, _ bool, frame []byte) {
		if e := w.Write(pcap.Record{Time: at, Data: frame, Length: len(frame)}); failed == nil {
			failed = e
		}
	}
	r, err := pcap.Run(o)
	return r, errors.Join(err, failed, w.Close())
}

// reviewed reads a list once, however many captures it serves.
func reviewed(name string, lists map[string]pcap.List) (pcap.List, error) {
	if name == "" {
		return nil, nil
	}
	if l, ok := lists[name]; ok {
		return l, nil
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	l, err := pcap.ParseList(name, string(b))
	lists[name] = l
	return l, err
}

// progress shows how far a long replay is, on a terminal, from the second
// second on.
func progress(log io.Writer, name string) func(done, total int) {
	f, ok := log.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	start, shown := time.Now(), time.Time{}
	return func(done, total int) {
		if now := time.Now(); now.Sub(start) > time.Second && now.Sub(shown) > 200*time.Millisecond {
			shown = now
			fmt.Fprintf(f, "\r%s: %d of %d frames (%d %%)\x1b[K\r", name, done, total, done*100/total)
		}
	}
}
