package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"bootstorm/pcap"
)

// verdict is the last word on a number of unreviewed differences.
func verdict(open int) string {
	switch open {
	case 0:
		return "no difference that is not on the reviewed list"
	case 1:
		return "1 DIFFERENCE that is not on a reviewed list"
	}
	return fmt.Sprintf("%d DIFFERENCES that are not on a reviewed list", open)
}

// show prints the result of one replay.
func show(out io.Writer, r *pcap.Result, open int, verbose bool) {
	fmt.Fprintf(out, "%s: %s in %.1f s, %s; compared %s, %s, %s; we sent %s, %s and %s among them\n", r.Name,
		count(r.Frames, "frame"), float64(r.Nanos)/1e9, count(r.Clients, "client"),
		count(r.Answers, "DHCP answer"), count(r.Transfers, "file request"), count(r.Blocks, "block"), count(r.Sent, "frame"), count(r.Probes, "ARP probe"), count(r.Adverts, "router advertisement"))
	for _, name := range slices.Sorted(maps.Keys(r.Adapted)) {
		fmt.Fprintf(out, "  adapted: %s (%d)\n", name, r.Adapted[name])
	}
	if verbose {
		every(out, r)
	} else if len(r.Differences) > 0 {
		kinds(out, r, width(out))
	}
	fmt.Fprintf(out, "  %s\n\n", verdict(open))
}

// Widths in columns.
const (
	pageWidth  = 160 // where the output is no terminal
	fixedWidth = 72  // what the narrow columns and the lines take
	leastWidth = 18
)

// width is how wide a table may be.
func width(out io.Writer) int {
	if f, ok := out.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return pageWidth
}

// kinds prints one row per kind of difference.
func kinds(out io.Writer, r *pcap.Result, columns int) {
	value := max(leastWidth, (columns-fixedWidth)/4)
	t := table.NewWriter()
	t.SetOutputMirror(out)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"answer", "field", "ours", "captured", "times", "at frame", "reason"})
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 2, WidthMax: 28, WidthMaxEnforcer: text.WrapSoft}, {Number: 3, WidthMax: value}, {Number: 4, WidthMax: value},
		{Number: 5, Align: text.AlignRight}, {Number: 6, Align: text.AlignRight},
		{Number: 7, WidthMax: max(leastWidth, columns-fixedWidth-2*value), WidthMaxEnforcer: text.WrapSoft},
	})
	for _, g := range pcap.Summarize(r.Differences) {
		t.AppendRow(table.Row{g.Message, g.Field, sample(g.Ours, g.OursVaries), sample(g.Theirs, g.TheirsVaries), g.Count, g.Record, reason(g.Reason)})
	}
	t.Render()
}

// every prints each difference with what the client asked.
func every(out io.Writer, r *pcap.Result) {
	for _, d := range r.Differences {
		fmt.Fprintf(out, "  frame %d, %.4f s, %s: %s\n      %s: %s: ours %s, captured %s\n      %s\n",
			d.Record, float64(d.At)/1e9, d.Client, d.Request, d.Message, d.Field, d.Ours, d.Theirs, reason(d.Reason))
	}
}

// sample marks a value as one of several.
func sample(value string, varies bool) string {
	if varies {
		return value + " …"
	}
	return value
}

// reason is what stands in the last column.
func reason(s string) string {
	if s == "" {
		return "NOT REVIEWED"
	}
	return s
}

// count says how many there are of a thing.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
