package peers

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"bootstorm/bench"
)

// stormHeader are the columns of the comparison, on a terminal and in a README.
var stormHeader = []string{"server", "booted", "last node", "median", "99 %", "DHCP sent again", "server CPU per node", "memory"}

// stormRow is one line of it.
func (g group) stormRow(nodes int) []string {
	r := g.middle()
	if r.Error != "" && r.Done == 0 {
		return []string{r.Title, "none: " + firstLine(r.Error), "", "", "", "", "", ""}
	}
	last := bench.Duration(r.Wall)
	if !r.did() {
		last = "not in " + bench.Duration(r.Wall)
	}
	last += lastNode.spread(g).span(inSeconds)
	cpu := nodeCPU.spread(g)
	row := []string{r.Title, fmt.Sprintf("%s of %s", bench.Count(r.Done), bench.Count(nodes)), last,
		bench.Duration(r.P50), bench.Duration(r.P99), bench.Count(int(r.Repeated.DHCP())), inSeconds(cpu.Median) + cpu.span(inSeconds), bench.Bytes(r.Memory)}
	if r.Done == 0 {
		row[3], row[4], row[6] = "", "", ""
	}
	return row
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(line)
}

// WriteTable writes the comparison for a terminal: the storms, what perfdhcp
// found, where bootstorm stands, and why nodes failed.
func (r *Result) WriteTable(w io.Writer) {
	runs := r.Medians()
	t := newTable(r.caption(), stormHeader)
	for _, g := range groups(r.Runs) {
		t.AppendRow(cells(g.stormRow(r.Nodes)))
	}
	fmt.Fprintln(w, t.Render())
	if len(r.Perf) > 0 {
		header, rows := r.perfTable()
		t := newTable("perfdhcp: leases each second, average wait for OFFER and ACK", header)
		for _, row := range rows {
			t.AppendRow(cells(row))
		}
		fmt.Fprintln(w, t.Render())
	}
	if header, rows := r.kernelTable(); len(rows) > 0 {
		t := newTable("kernel and initrd, 300 MB, 2 nodes", header)
		for _, row := range rows {
			t.AppendRow(cells(row))
		}
		fmt.Fprintln(w, t.Render())
	}
	if rows := r.waitsTable(); len(rows) > 0 {
		t := newTable("the same with the pauses that clients make by themselves", stormHeader)
		for _, row := range rows {
			t.AppendRow(cells(row))
		}
		fmt.Fprintln(w, t.Render())
	}
	for _, s := range r.statements() {
		fmt.Fprintln(w, s)
	}
	r.writeStandings(w)
	r.writeFailures(w, runs)
	fmt.Fprintln(w, r.Machine.sentence())
	if note := r.roundsNote(); note != "" {
		fmt.Fprintln(w, note)
	}
}

// perfCaption explains the second table.
const perfCaption = "DHCP alone, with perfdhcp of Kea, a load that is not ours: leases each second, and the average wait for an OFFER and an ACK. " +
	"The last line is no server but a bare answer to each request, without leases and without a disk: its waits are perfdhcp's own."

func newTable(title string, header []string) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleRounded)
	t.Style().Format.Header = text.FormatDefault
	t.SetTitle(title)
	t.AppendHeader(cells(header))
	var right []table.ColumnConfig
	for i := range header[1:] {
		right = append(right, table.ColumnConfig{Number: i + 2, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(right)
	return t
}

func cells(texts []string) (row table.Row) {
	for _, s := range texts {
		row = append(row, s)
	}
	return row
}

// caption says what was run.
func (r *Result) caption() string {
	s := fmt.Sprintf("%s nodes at once, sequence %q", bench.Count(r.Nodes), r.Sequence)
	return s
}

// writeStandings says where bootstorm stands, the aims it misses first.
func (r *Result) writeStandings(w io.Writer) {
	wall, cpu := r.Standings()
	for _, ok := range []bool{false, true} {
		for _, g := range []struct {
			what string
			list []Standing
		}{{"wall time", wall}, {"server CPU per node", cpu}} {
			for _, s := range g.list {
				if s.OK() == ok {
					fmt.Fprintf(w, "%s: bootstorm's %s is %s of %s's; the aim is at most %s\n",
						map[bool]string{false: "MISSED", true: "reached"}[ok], g.what, fraction(s.Ratio), s.Against, fraction(s.Most))
				}
			}
		}
	}
}

// fraction writes a ratio as one part of so many.
func fraction(v float64) string {
	if v <= 0 || v > 0.95 {
		return fmt.Sprintf("%.2f times", v)
	}
	return fmt.Sprintf("1/%.1f", 1/v)
}

// writeFailures says why nodes did not boot.
func (r *Result) writeFailures(w io.Writer, runs []*Run) {
	const most = 4
	for _, run := range runs {
		if run.Error != "" {
			fmt.Fprintf(w, "%s: %s\n", run.Title, strings.TrimSpace(run.Error))
		}
		for i, f := range run.Failures {
			if i == most {
				fmt.Fprintf(w, "%s: and %d other reasons\n", run.Title, len(run.Failures)-most)
				break
			}
			fmt.Fprintf(w, "%s: %s failed: %s\n", run.Title, bench.Count(f.Count), f.Reason)
		}
		if run.Load > loadLimit {
			fmt.Fprintf(w, "%s: the load used %.0f %% of its core: the server may be faster than it looks\n", run.Title, 100*run.Load)
		}
	}
}

// loadLimit is how busy the load's core may be before it is the load that is
// measured.
const loadLimit = 0.9

// sentence says where the figures come from.
func (m *Machine) sentence() string {
	memory := fmt.Sprintf("%.0f GB", float64(m.Memory)/1e9)
	var versions []string
	for _, p := range []struct{ program, name string }{{"dnsmasq", "dnsmasq"}, {"dhcpd", "dhcpd"}, {"in.tftpd", "tftpd-hpa"},
		{"kea-dhcp4", "Kea"}, {"atftpd", "atftpd"}, {"perfdhcp", "perfdhcp"}} {
		if v := m.Versions[p.program]; v != "" {
			versions = append(versions, p.name+" "+v)
		}
	}
	s := fmt.Sprintf("Measured on %s by `bench peers`: %s, %s, %s of memory, Linux %s. The server had one core, the nodes another.",
		m.Day, m.Processor, cores(m.Cores), memory, m.Kernel)
	if m.Plain {
		s += " The servers' interface had no offload."
	}
	if !m.Neighbour {
		s += " The ARP table had 1,024 entries, for all servers."
	}
	if len(versions) > 0 {
		s += " " + strings.Join(versions, ", ") + "."
	}
	return s
}

// Markdown is the README's text: the tables, and where they come from.
func (r *Result) Markdown() []byte {
	var b strings.Builder
	var rows [][]string
	for _, g := range groups(r.Runs) {
		rows = append(rows, g.stormRow(r.Nodes))
	}
	writeMarkdown(&b, stormHeader, rows)
	fmt.Fprintf(&b, "\n%s, each as far as the server let them; a storm was ended after %s. %s\n", upperFirst(r.caption()), seconds(r.Limit),
		strings.TrimSpace(r.Machine.sentence()+" "+r.roundsNote()))
	if rows := r.waitsTable(); len(rows) > 0 {
		b.WriteString("\n")
		writeMarkdown(&b, stormHeader, rows)
		b.WriteString("\n" + r.waitsNote() + "\n")
	}
	if len(r.Perf) > 0 {
		header, rows := r.perfTable()
		b.WriteString("\n")
		writeMarkdown(&b, header, rows)
		b.WriteString("\n" + perfCaption)
		if r.Rounds > 1 {
			b.WriteString(" The range in brackets is that of both waits together, or of the time that all took.")
		}
		b.WriteString("\n")
	}
	if header, rows := r.kernelTable(); len(rows) > 0 {
		b.WriteString("\n")
		writeMarkdown(&b, header, rows)
		b.WriteString("\n" + r.kernelNote() + "\n")
	}
	for _, s := range r.statements() {
		b.WriteString("\n" + s + "\n")
	}
	r.writeTuning(&b)
	return []byte(b.String())
}

// writeTuning says what "tuned" means for the servers that were run.
func (r *Result) writeTuning(b *strings.Builder) {
	first := true
	for _, s := range All() {
		if s.Tuning == "" || !slices.ContainsFunc(r.Runs, func(run Run) bool { return run.Server == s.Name }) {
			continue
		}
		if first {
			b.WriteString("\nTuned: " + allTuned + ".")
			first = false
		}
		fmt.Fprintf(b, " %s: %s.", strings.TrimSuffix(s.Title, ", tuned"), s.Tuning)
	}
	if !first {
		b.WriteString("\n")
	}
}

func writeMarkdown(b *strings.Builder, header []string, rows [][]string) {
	line := func(cells []string) { fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | ")) }
	line(header)
	rule := []string{"---"}
	for range header[1:] {
		rule = append(rule, "--:")
	}
	line(rule)
	for _, cells := range rows {
		if cells[0] == "bootstorm" {
			cells[0] = "**bootstorm**"
		}
		line(cells)
	}
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func seconds(d time.Duration) string { return fmt.Sprintf("%g s", d.Seconds()) }
