package main

import (
	"fmt"
	"io"

	"bootstorm/bench"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// row is one line of the summary: what it says of each act.
type row struct {
	label string
	value func(a *act) string
}

var rows = []row{
	{"boots", func(a *act) string { return bench.Count(a.result.Boots) }},
	{"failed", func(a *act) string { return bench.Count(a.result.Failed) }},
	{"addresses in the pool", func(a *act) string { return bench.Count(int(a.network.last-a.network.first) + 1) }},
	{"addresses used", func(a *act) string { return bench.Count(a.result.Addresses) }},
	{"a boot, median", func(a *act) string { return bench.Duration(a.result.Boot.P50) }},
	{"a boot, 99 %", func(a *act) string { return bench.Duration(a.result.Boot.P99) }},
	{"last node done after", func(a *act) string { return bench.Duration(a.result.LastNode) }},
	{"bytes verified", func(a *act) string { return bench.Bytes(a.result.Verified) }},
	{"DHCP messages sent again", func(a *act) string { return bench.Count(int(a.result.Repeated.DHCP())) }},
	{"blocks received twice", func(a *act) string { return bench.Count(int(a.result.Duplicates)) }},
	{"processor time of the server", func(a *act) string { return bench.Duration(a.result.CPU) }},
}

// summarize writes the closing table and, if a boot failed, why. It returns
// whether all went well.
func summarize(w io.Writer, acts []*act) (ok bool) {
	t := table.NewWriter()
	t.SetStyle(table.StyleRounded)
	t.Style().Format.Header = text.FormatDefault
	t.SetTitle("bootstorm: from power-on to rEFInd")
	header := table.Row{""}
	columns := []table.ColumnConfig{}
	for i, a := range acts {
		header = append(header, a.name)
		columns = append(columns, table.ColumnConfig{Number: i + 2, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.AppendHeader(header)
	t.SetColumnConfigs(columns)
	for _, r := range rows {
		line := table.Row{r.label}
		for _, a := range acts {
			line = append(line, r.value(a))
		}
		t.AppendRow(line)
	}
	fmt.Fprintln(w, t.Render())
	ok = true
	for _, a := range acts {
		if !a.result.OK() {
			ok = false
			a.result.WriteTable(w, a.title)
		}
	}
	if ok {
		fmt.Fprintln(w, "Every node reached rEFInd, and every byte was right.")
	}
	return ok
}
