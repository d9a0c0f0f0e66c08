package ceiling

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"bootstorm/bench"
)

// WriteTable writes the result for a person.
func (r *Result) WriteTable(w io.Writer) {
	t := newTable(fmt.Sprintf("Frames through the socket calls alone, median of %d rounds", r.Rounds),
		"what", "rung", "frames", "bytes each", "frames/s", "frames/CPU s", "Gbit/s", "frames per call", "spread")
	last := ""
	for _, rate := range r.Rates {
		if last != "" && rate.What != last {
			t.AppendSeparator()
		}
		last = rate.What
		t.AppendRow(rate.row())
	}
	fmt.Fprintln(w, t.Render())
	t = newTable("Echo: one frame in, one frame out", "the server", "turns", "median", "99 %", "turns/s")
	for _, e := range r.Echoes {
		t.AppendRow(table.Row{map[bool]string{false: "sleeps in between", true: "polls"}[e.Spin], bench.Count(e.Count),
			bench.Duration(e.P50), bench.Duration(e.P99), bench.Count(int(e.Rate))})
	}
	fmt.Fprintln(w, t.Render())
	for _, rate := range r.Rates {
		if rate.Lost > 0 {
			fmt.Fprintf(w, "%s, %s: %s frames did not fit into the socket\n", rate.What, rate.Rung, bench.Count(int(rate.Lost)))
		}
	}
}

func (r *Rate) row() table.Row {
	run := "1"
	if r.Segments > 0 {
		run = fmt.Sprintf("run of %d", r.Segments)
	}
	if r.Missing != "" {
		return table.Row{r.What, r.Rung, run, r.Bytes, r.Missing}
	}
	return table.Row{r.What, r.Rung, run, r.Bytes, bench.Count(int(r.Frames)), bench.Count(int(r.PerCPU)),
		fmt.Sprintf("%.2f", r.Frames*float64(r.Bytes)*8/1e9), fmt.Sprintf("%.1f", r.Calls), fmt.Sprintf("%.0f %%", 100*r.Spread)}
}

func newTable(title string, header ...any) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleRounded)
	t.Style().Format.Header = text.FormatDefault
	t.SetTitle(title)
	t.AppendHeader(header)
	var right []table.ColumnConfig
	for i := 2; i <= len(header); i++ {
		right = append(right, table.ColumnConfig{Number: i, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(right)
	return t
}
