package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"bootstorm/pcap"
	"bootstorm/proto"
	"bootstorm/tools/guide"
)

// verdict checks the capture and prints the result.
func (r *run) verdict() error {
	if err := r.capture.Stop(); err != nil {
		return r.explain(err)
	}
	c, err := pcap.ReadFile(r.file("boot.pcap"))
	if err != nil {
		return r.explain(err)
	}
	e := examine(c)
	r.table()
	if err := errors.Join(r.checkFiles(e), r.checkAddresses(e)); err != nil {
		return r.explain(err)
	}
	fmt.Printf("\nscreenshots, consoles, server.log and boot.pcap (%d frames) are in %s\n", len(c.Records), r.out)
	return nil
}

// table prints when each machine reached which stage, in seconds from power on
// or reset.
func (r *run) table() {
	fmt.Printf("\n%-10s", "seconds")
	for _, s := range stages {
		fmt.Printf("%12s", s.name)
	}
	fmt.Println()
	for _, m := range r.machines {
		for boot, times := range m.times {
			fmt.Printf("%-10s", fmt.Sprintf("%s/%d", m, boot+1))
			for _, t := range times {
				fmt.Printf("%12.1f", t.Seconds())
			}
			fmt.Println()
		}
	}
	fmt.Println()
}

// checkFiles wants each file once per boot and machine, byte for byte.
func (r *run) checkFiles(e *evidence) error {
	var failures []error
	for _, name := range guide.Files {
		want, err := os.ReadFile(r.file("tftp/" + name))
		if err != nil {
			return err
		}
		total := 0
		for _, m := range r.machines {
			good, err := e.got(parseMAC(macOf(m.number)), name, want)
			if err == nil && good < r.reboots+1 {
				err = fmt.Errorf("%s got %s completely %d times in %d boots", m, name, good, r.reboots+1)
			}
			if err != nil {
				failures = append(failures, err)
			}
			total += good
		}
		fmt.Printf("%-16s %9d bytes, byte for byte on the wire, %s\n", name, len(want), count(total))
	}
	return errors.Join(failures...)
}

func count(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// checkAddresses wants one address of the pool for each machine through all of
// its boots, and never the same for two.
func (r *run) checkAddresses(e *evidence) error {
	var failures []error
	owner := map[proto.Addr]string{}
	for _, m := range r.machines {
		mac := macOf(m.number)
		var had []string
		for a := range e.addresses[parseMAC(mac)] {
			had = append(had, a.String())
			if other := owner[a]; other != "" {
				failures = append(failures, fmt.Errorf("%s and %s both had %s", other, m, a))
			}
			owner[a] = m.String()
		}
		slices.Sort(had)
		fmt.Printf("%-16s %s  %s\n", m, mac, strings.Join(had, ", "))
		if len(had) != 1 || !slices.Contains(guide.Pool, had[0]) {
			failures = append(failures, fmt.Errorf("%s had the addresses %v: want one of %v", m, had, guide.Pool))
		}
	}
	return errors.Join(failures...)
}
