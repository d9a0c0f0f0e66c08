package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bootstorm/bench/peers"
	"bootstorm/pcap"
	"bootstorm/tools/guide"
	"bootstorm/tools/lab"
)

// variant is a way to serve a boot.
type variant struct {
	name  string // for --variants and JSON
	title string // for the table
	pair  bool   // dhcpd and tftpd-hpa
	more  string // appended to the guide's dhcpd.conf
}

// variants are all of them, in the order of the table. To have one of the two
// defaults that boot-hints governs off alone, the other is set in the file. Not
// by a boot file size of 0: edk2 takes it for the size and gives up (PXE-E99).
var variants = []variant{
	{name: "guide", title: "dhcpd + tftpd-hpa", pair: true},
	{name: "bootstorm", title: "bootstorm"},
	{name: "no-advertisement", title: "… no router advertisement", more: "ipv6-router-advertisement off;\n"},
	{name: "no-pxedhcp", title: "… no option 175.176", more: "option ipxe.no-pxedhcp 0;\n"},
	{name: "no-size", title: "… no boot file size", more: "boot-hints off;\noption ipxe.no-pxedhcp 1;\n"},
	{name: "no-defaults", title: "… none of the three", more: "ipv6-router-advertisement off;\nboot-hints off;\n"},
}

func variantNames() string {
	var names []string
	for _, v := range variants {
		names = append(names, v.name)
	}
	return strings.Join(names, ",")
}

// choose returns the variants with these names, all without names.
func choose(names string) (chosen []variant, err error) {
	if names == "" {
		return variants, nil
	}
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(variants, func(v variant) bool { return v.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no variant is called %q; there are %s", name, variantNames())
		}
		chosen = append(chosen, variants[i])
	}
	return chosen, nil
}

// Comparison is the result of --compare.
type Comparison struct {
	Machine peers.Machine `json:"machine"`
	Runs    int           `json:"runs"`  // of each variant
	Boots   []Boot        `json:"boots"` // in the order in which they took place
}

// compare boots every variant once, then every one again, so that what changes
// on the machine meets all of them.
func compare(o options) error {
	chosen, err := choose(o.only)
	if err != nil {
		return err
	}
	if err := claim(o.out); err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(o.out), os.MkdirAll(o.out, 0o755)); err != nil {
		return err
	}
	c := Comparison{Machine: peers.Here(os.Getenv("BOOTSTORM_DEPS"), "dhcpd", "in.tftpd", "qemu-system-x86_64"), Runs: o.runs}
	started := time.Now()
	for run := 1; run <= o.runs; run++ {
		for i := range chosen {
			b := Boot{Variant: chosen[i].name, Run: run}
			fmt.Printf("\nboot %d of %d: %s\n", len(c.Boots)+1, o.runs*len(chosen), chosen[i].title)
			if err := b.boot(o, &chosen[i], started); err != nil {
				b.Error = err.Error()
			}
			fmt.Println(b.sentence())
			c.Boots = append(c.Boots, b)
			if err := c.save(o); err != nil { // after each: what was measured is kept, whatever ends this
				return err
			}
		}
	}
	return c.show(o)
}

// boot boots one machine from a variant, in a network of its own. An error is
// the boot's, and the comparison goes on.
func (b *Boot) boot(o options, v *variant, started time.Time) error {
	l, err := lab.New()
	if err != nil {
		return err
	}
	defer l.Close()
	o.out = filepath.Join(o.out, fmt.Sprintf("%s-%d", v.name, b.Run))
	r := &run{options: o, lab: l, started: started, more: v.more, toMenu: true}
	serve := r.serve
	if v.pair {
		serve = r.servePair
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	for _, step := range []func() error{r.build, r.network, serve, r.powerOn, r.watch, r.endCapture} {
		if err := step(); err != nil {
			return r.explain(err)
		}
	}
	c, err := pcap.ReadFile(r.file("boot.pcap"))
	if err != nil {
		return err
	}
	return b.measure(examine(c), r.file("tftp"))
}

// endCapture ends the capture.
func (r *run) endCapture() error { return r.capture.Stop() }

// servePair starts the servers that the guide installs, with its files.
func (r *run) servePair() error {
	p := peers.Pair{Deps: os.Getenv("BOOTSTORM_DEPS"), Interface: r.node0.Interface, Address: guide.Server, Config: r.file("dhcpd.conf"),
		Leases: r.file("dhcpd.leases"), PID: r.file("dhcpd.pid"), Root: r.file("tftp")}
	dhcpd, tftpd, err := p.Commands()
	if err != nil {
		return err
	}
	// dhcpd writes its leases as the user that it becomes.
	err = errors.Join(os.WriteFile(p.Leases, nil, 0o666), os.Chmod(p.Leases, 0o666), os.Chmod(r.out, 0o777))
	if err != nil {
		return err
	}
	log, err := os.Create(r.file("server.log"))
	if err != nil {
		return err
	}
	if r.pair, err = r.node0.StartTee(log, dhcpd...); err != nil {
		return err
	}
	if r.server, err = r.node0.StartTee(log, tftpd...); err != nil {
		return err
	}
	if err := r.waitBound(); err != nil {
		return fmt.Errorf("%w\n%s", err, tail(r.pair.Output(), 8))
	}
	return nil
}

// sentence says how a boot went.
func (b *Boot) sentence() string {
	if b.Error != "" {
		return "  failed: " + b.Error
	}
	return fmt.Sprintf("  %s from the first DISCOVER to rEFInd's last byte, of which iPXE's DHCP %s; %d DHCP frames, %d of TFTP",
		shown(b.At.Refind), shown(b.At.IPXERead-b.At.IPXEDiscover), b.DHCP, b.TFTP)
}

// save writes the result.
func (c *Comparison) save(o options) error {
	file := o.json
	if file == "" {
		file = filepath.Join(o.out, "compare.json")
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

// again shows a result that was saved.
func again(o options) error {
	text, err := os.ReadFile(o.from)
	if err != nil {
		return err
	}
	var c Comparison
	if err := json.Unmarshal(text, &c); err != nil {
		return fmt.Errorf("%s is not a result of --compare: %w", o.from, err)
	}
	return c.show(o)
}

// show prints the table and writes it into the document, unless boots failed.
func (c *Comparison) show(o options) error {
	fmt.Printf("\n%s", c.markdown())
	failed := 0
	for i := range c.Boots {
		if c.Boots[i].Error != "" {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d boots failed; their logs and captures are in %s", failed, len(c.Boots), o.out)
	}
	if o.readme == "" {
		return nil
	}
	old, err := os.ReadFile(o.readme)
	if err != nil {
		return err
	}
	text, ok := withTable(old, c.markdown())
	if !ok {
		return fmt.Errorf("%s lacks the lines between which the table belongs: %q and %q", o.readme, blockBegin, blockEnd)
	}
	if bytes.Equal(text, old) {
		return nil
	}
	return os.WriteFile(o.readme, text, 0o644)
}
