package bench

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// WriteTable writes the result for a person: phases, then what was checked,
// then what went wrong.
func (r *Result) WriteTable(w io.Writer, title string) {
	r.writePhases(w, title)
	r.writeFacts(w)
	if len(r.Failures) > 0 {
		r.writeFailures(w)
	}
	if why := r.Limit(); why != "" {
		fmt.Fprintf(w, "WARNING: the load generator was the limit: %s. Use fewer nodes, a ramp, or a faster machine.\n", why)
	}
}

// newTable makes a table in the style of all; header texts are kept as written.
func newTable(title string, header ...any) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleRounded)
	t.Style().Format.Header = text.FormatDefault
	if title != "" {
		t.SetTitle(title)
	}
	if len(header) > 0 {
		t.AppendHeader(table.Row(header))
	}
	return t
}

// writePhases writes one row for each phase and one for the whole boot.
func (r *Result) writePhases(w io.Writer, title string) {
	t := newTable(title, "phase", "done", "median", "99 %", "slowest")
	for _, p := range r.Phases {
		t.AppendRow(table.Row{p.Name, Count(p.Done), Duration(p.P50), Duration(p.P99), Duration(p.Max)})
	}
	t.AppendSeparator()
	t.AppendRow(table.Row{r.Boot.Name, Count(r.Boot.Done), Duration(r.Boot.P50), Duration(r.Boot.P99), Duration(r.Boot.Max)})
	t.SetColumnConfigs(rightFrom(2, 5))
	fmt.Fprintln(w, t.Render())
}

// writeFacts writes what was counted, in two columns.
func (r *Result) writeFacts(w io.Writer) {
	t := newTable("")
	for _, f := range r.facts() {
		t.AppendRow(table.Row{f[0], f[1]})
	}
	fmt.Fprintln(w, t.Render())
}

// facts are the rows below the phases; those about trouble are there only if
// there was some.
func (r *Result) facts() [][2]string {
	p := &r.Repeated
	facts := [][2]string{
		{"boots", fmt.Sprintf("%s done, %s failed, of %s by %s nodes", Count(r.Done), Count(r.Failed), Count(r.Boots), Count(r.Nodes))},
		{"last node done after", Duration(r.LastNode)},
		{"addresses given out", Count(r.Addresses)},
		{"bytes verified", Bytes(r.Verified)},
		{"goodput", fmt.Sprintf("%.1f Mbit/s", r.Goodput/1e6)},
		{"frames", fmt.Sprintf("%s out, %s in, %.0f for each boot", Count(int(r.FramesOut)), Count(int(r.FramesIn)), r.FramesPerBoot)},
		{"DHCP sent again", fmt.Sprintf("%d DISCOVER, %d REQUEST", p.Discover, p.Request)},
		{"TFTP sent again", fmt.Sprintf("%d RRQ, %d ACK; %d ACKs for a gap", p.RRQ, p.Ack, p.Gap)},
		{"blocks received twice", Count(int(r.Duplicates))},
	}
	if r.Failed > 0 { // in virtual time it repeats everything, on a real link what the nodes choose
		facts = append(facts, [2]string{"seed of the storm", fmt.Sprintf("%d", r.Seed)})
	}
	if r.NAKs > 0 {
		facts = append(facts, [2]string{"NAKs", Count(r.NAKs)})
	}
	if r.Cut > 0 {
		facts = append(facts, [2]string{"power lost in mid-boot", Count(r.Cut) + " times"})
	}
	if p.ARP > 0 {
		facts = append(facts, [2]string{"ARP sent again", Count(int(p.ARP))})
	}
	if r.LinkLost > 0 {
		facts = append(facts, [2]string{"frames lost by the link", Count(int(r.LinkLost))})
	}
	if r.LinkCorrupted > 0 {
		facts = append(facts, [2]string{"frames damaged by the link", Count(int(r.LinkCorrupted))})
	}
	if r.Damaged+r.Foreign > 0 {
		facts = append(facts, [2]string{"odd frames", fmt.Sprintf("%d damaged, %d for nobody", r.Damaged, r.Foreign)})
	}
	if r.CPU > 0 {
		facts = append(facts, [2]string{"server CPU", Duration(r.CPU) + fmt.Sprintf(", %.0f %% of one core", 100*r.CPU.Seconds()/max(r.LastNode.Seconds(), 1e-9))})
	}
	if r.Memory > 0 {
		facts = append(facts, [2]string{"server memory, at most", Bytes(r.Memory)})
	}
	if r.Heap != nil {
		facts = append(facts, [2]string{"server's heap", fmt.Sprintf("%s objects allocated, %d garbage collections", Count(r.Heap.Allocations), r.Heap.Collections)})
	}
	return facts
}

// writeFailures writes the reasons, the most frequent first, each with a node to
// look at.
func (r *Result) writeFailures(w io.Writer) {
	t := newTable("", "failed", "because", "first seen")
	for _, f := range r.Failures {
		t.AppendRow(table.Row{Count(f.Count), f.Reason, fmt.Sprintf("%s, boot %d, after %s", f.MAC, f.Boot, Duration(f.At))})
	}
	t.SetColumnConfigs([]table.ColumnConfig{{Number: 1, Align: text.AlignRight}, {Number: 2, WidthMax: 70}})
	fmt.Fprintln(w, t.Render())
}

// rightFrom aligns columns of numbers.
func rightFrom(first, last int) (c []table.ColumnConfig) {
	for i := first; i <= last; i++ {
		c = append(c, table.ColumnConfig{Number: i, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	return c
}

// Duration writes d with three significant figures and a unit: 421 µs, 2.41 ms, 1.05 s.
func Duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return figures(float64(d)/1e3, "µs")
	case d < time.Second:
		return figures(float64(d)/1e6, "ms")
	case d < 2*time.Minute:
		return figures(d.Seconds(), "s")
	}
	return d.Round(time.Second).String()
}

// figures writes v with three of them.
func figures(v float64, unit string) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f %s", v, unit)
	case v >= 10:
		return fmt.Sprintf("%.1f %s", v, unit)
	}
	return fmt.Sprintf("%.2f %s", v, unit)
}

// Bytes writes a number of bytes with a decimal unit: 1.40 GB.
func Bytes(n uint64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if float64(n) >= u.size {
			return figures(float64(n)/u.size, u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}

// Count writes n with commas between thousands.
func Count(n int) string {
	s := fmt.Sprint(n)
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 && s[i-1] != '-' {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}
