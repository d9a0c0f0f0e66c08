package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"bootstorm/engine"
	"bootstorm/engine/migrate"
)

// migration shows and writes what migrate found.
type migration struct {
	out io.Writer
	r   *migrate.Result
	o   *migrateOptions
}

// print shows every line's fate, who holds the ports, and what to do next.
func (m *migration) print() {
	fmt.Fprintf(m.out, "%s\n", m.found())
	for _, part := range []struct {
		fate  migrate.Fate
		title string
	}{
		{migrate.Taken, "TAKEN OVER"},
		{migrate.Needless, "NOT NEEDED (the result does the same without, or it has no meaning here)"},
		{migrate.Lost, "NOT TAKEN OVER (look at these)"},
	} {
		m.notes(part.fate, part.title)
	}
	m.holders()
}

// found is the headline.
func (m *migration) found() string {
	var list []string
	for _, s := range m.r.Services {
		state := "not enabled"
		if s.Enabled {
			state = "enabled"
		}
		list = append(list, s.Name+" ("+state+")")
	}
	where := "this host"
	if m.o.root != "/" {
		where = "the tree " + m.o.root
	}
	if len(list) == 0 {
		return where + " has no service that answers DHCP or TFTP"
	}
	return where + " has " + strings.Join(list, ", ")
}

// notes prints the lines of one fate.
func (m *migration) notes(fate migrate.Fate, title string) {
	first := true
	for i := range m.r.Notes {
		n := &m.r.Notes[i]
		if n.Fate != fate {
			continue
		}
		if first {
			fmt.Fprintf(m.out, "\n%s\n", title)
			first = false
		}
		if n.Text != "" {
			fmt.Fprintf(m.out, "  %s: %s\n      %s\n", n.Place(), n.Text, n.Why)
		} else {
			fmt.Fprintf(m.out, "  %s: %s\n", n.Place(), n.Why)
		}
	}
}

// holders prints who has the ports.
func (m *migration) holders() {
	if len(m.r.Holders) == 0 {
		return
	}
	fmt.Fprintf(m.out, "\nPORTS IN USE\n")
	t := tabwriter.NewWriter(m.out, 0, 0, 2, ' ', 0)
	for _, h := range m.r.Holders {
		who := "a process that only root can see"
		if h.Process != "" {
			who = fmt.Sprintf("%s (process %s)", h.Process, h.PID)
		}
		fmt.Fprintf(t, "  %d/udp\t%s\n", h.Port, who)
	}
	t.Flush()
}

// product is a file of the result.
type product struct {
	name string
	text []byte
	mode fs.FileMode
}

// products are the files to write, configuration first.
func (m *migration) products() []product {
	list := []product{{"dhcpd.conf", m.r.Config, 0o644}}
	if m.r.Leases != nil {
		list = append(list, product{"dhcpd.leases", m.r.Leases, 0o640})
	}
	if flags := m.flags(); flags != "" && len(m.r.Interfaces) > 0 {
		text := fmt.Sprintf("# Flags for bootstorm@%s, taken over by bootstorm migrate.\nBOOTSTORM_OPTIONS=%q\n", m.r.Interfaces[0], flags)
		list = append(list, product{m.r.Interfaces[0] + ".options", []byte(text), 0o644})
	}
	return list
}

// flags are those of serve that the service needs beyond its defaults.
func (m *migration) flags() string {
	var list []string
	for _, name := range m.r.Interfaces[min(1, len(m.r.Interfaces)):] {
		list = append(list, "--interface "+name)
	}
	if m.r.TFTPRoot != "" && m.r.TFTPRoot != engine.DefaultRoot {
		list = append(list, "--tftp-root "+m.r.TFTPRoot)
	}
	return strings.Join(list, " ")
}

// write writes the result and shows the steps that are left.
func (m *migration) write() error {
	products := m.products()
	if err := os.MkdirAll(m.o.write, 0o755); err != nil {
		return err
	}
	// All or nothing: what is in the way is known before the first is written.
	for _, p := range products {
		path := filepath.Join(m.o.write, p.name)
		if _, err := os.Lstat(path); err == nil && !m.o.force {
			return fmt.Errorf("%s is there already, and nothing was written: compare it with the result (--write to another directory), or add --force to put it aside", path)
		}
	}
	fmt.Fprintf(m.out, "\nWRITTEN\n")
	for _, p := range products {
		aside, err := replace(filepath.Join(m.o.write, p.name), p.text, p.mode)
		if err != nil {
			return err
		}
		fmt.Fprintf(m.out, "  %s%s\n", filepath.Join(m.o.write, p.name), aside)
	}
	m.steps()
	return nil
}

// replace writes a file. What is there is put aside under a name that nothing
// has, and the words for that are returned.
func replace(path string, text []byte, mode fs.FileMode) (aside string, err error) {
	if _, err := os.Lstat(path); err == nil {
		kept := path + ".old"
		for n := 2; ; n++ {
			if _, err := os.Lstat(kept); errors.Is(err, fs.ErrNotExist) {
				break
			}
			kept = fmt.Sprintf("%s.old%d", path, n)
		}
		if err := os.Rename(path, kept); err != nil {
			return "", err
		}
		aside = ", the one before is " + kept
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	return aside, errors.Join(err, f.Sync(), f.Close())
}

// steps prints what is left to the operator, in order.
func (m *migration) steps() {
	name := "IF"
	if len(m.r.Interfaces) > 0 {
		name = m.r.Interfaces[0]
	}
	fmt.Fprintf(m.out, "\nSTEPS, when the moment has come\n")
	step := func(format string, args ...any) { fmt.Fprintf(m.out, "  "+format+"\n", args...) }
	root := ""
	if m.r.TFTPRoot != "" && m.r.TFTPRoot != engine.DefaultRoot {
		root = " --tftp-root " + m.r.TFTPRoot
	}
	step("bootstorm check %s%s", filepath.Join(m.o.write, "dhcpd.conf"), root)
	if m.r.Source == "dnsmasq" && m.r.DNS {
		step("# in dnsmasq's files: comment out what was taken over; it goes on with DNS")
	}
	for _, s := range m.r.Services {
		switch {
		case s.Name == "dnsmasq" && m.r.DNS:
			step("systemctl restart dnsmasq")
		case s.Enabled:
			step("systemctl disable --now %s", s.Name)
		}
	}
	if m.r.Leases != nil {
		// Leases that were renewed since are in the old file only.
		step("bootstorm migrate%s --write %s --force      # again, for the leases of the last minutes", m.o.again(), m.o.write)
		step("install -o bootstorm -g bootstorm -m 640 %s /var/lib/bootstorm/dhcpd.leases", filepath.Join(m.o.write, "dhcpd.leases"))
	}
	if m.o.write != filepath.Dir(engine.DefaultFiles[0]) {
		for _, p := range m.products() {
			if p.name != "dhcpd.leases" {
				step("install -m 644 %s /etc/bootstorm/", filepath.Join(m.o.write, p.name))
			}
		}
	}
	step("systemctl enable --now bootstorm@%s", name)
}
