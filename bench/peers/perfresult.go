package peers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"bootstorm/bench"
)

// Perf is what perfdhcp found out about one server with one load. Its exchanges
// are DISCOVER to OFFER and REQUEST to ACK.
type Perf struct {
	Server    string   `json:"server"`
	Title     string   `json:"title"`
	Load      string   `json:"load"`                // PerfLoad.Name
	Offered   int      `json:"offered,omitempty"`   // exchanges each second, 0: avalanche
	Clients   int      `json:"clients"`             //
	Round     int      `json:"round,omitempty"`     // from 1
	Error     string   `json:"error,omitempty"`     //
	Rate      float64  `json:"rate"`                // 4-way exchanges completed each second, the wait for late answers included
	Discover  Exchange `json:"discover"`            //
	Request   Exchange `json:"request"`             //
	Took      duration `json:"took,omitempty"`      // avalanche: until the last client had its lease
	Resent    int      `json:"resent,omitempty"`    // avalanche: requests sent again
	Lost      int      `json:"lost_by_load"`        // answers that did not fit into perfdhcp's receive buffer
	CPU       duration `json:"server_cpu"`          // from the server's start of service to the end of the load
	Malformed int      `json:"malformed,omitempty"` // answers that perfdhcp could not read
}

// Exchange is one of the two exchanges.
type Exchange struct {
	Sent     int      `json:"sent"`
	Received int      `json:"received"`
	Drops    int      `json:"drops"`
	Average  duration `json:"average"`
	Max      duration `json:"max"`
}

// read takes the figures out of perfdhcp's report. What is not there stays 0.
func (p *Perf) read(report string) {
	at := new(Exchange) // of the section; the first is of neither exchange
	for line := range strings.Lines(report) {
		line = strings.Trim(strings.TrimSpace(line), "*")
		switch {
		case strings.HasPrefix(line, "Statistics for: DISCOVER-OFFER"):
			at = &p.Discover
			continue
		case strings.HasPrefix(line, "Statistics for: REQUEST-ACK"):
			at = &p.Request
			continue
		case strings.HasPrefix(line, "It took "):
			p.Took = clock(strings.Fields(line)[2])
			continue
		}
		key, value, ok := strings.Cut(line, ": ")
		if fields := strings.Fields(value); ok && len(fields) > 0 {
			p.figure(at, key, fields[0])
		}
	}
}

// figure is one line of a report.
func (p *Perf) figure(at *Exchange, key, value string) {
	v, err := strconv.ParseFloat(strings.TrimSuffix(value, ","), 64)
	if err != nil || v != v { // it writes nan where there was nothing to average
		return
	}
	milliseconds := time.Duration(v * float64(time.Millisecond))
	switch key {
	case "Rate":
		p.Rate = v
	case "Malformed packets":
		p.Malformed = int(v)
	case "Requests resent":
		p.Resent = int(v)
	case "sent packets":
		at.Sent = int(v)
	case "received packets":
		at.Received = int(v)
	case "drops":
		at.Drops = int(v)
	case "avg delay":
		at.Average = milliseconds
	case "max delay":
		at.Max = milliseconds
	}
}

// clock reads a time as perfdhcp writes it: 00:00:02.082732.
func clock(text string) (d time.Duration) {
	for _, part := range strings.Split(text, ":") {
		v, err := strconv.ParseFloat(part, 64)
		if err != nil {
			return 0
		}
		d = d*60 + time.Duration(v*float64(time.Second))
	}
	return d
}

// sentence is the line that is shown when a load has ended.
func (p *Perf) sentence() string {
	return fmt.Sprintf("%s, perfdhcp %s: %s", p.Title, p.Load, p.cell())
}

// lost is how many exchanges came to nothing.
func (p *Perf) lost() int { return p.Discover.Drops + p.Request.Drops }

// cell is the result in short: what was completed and how long it took on
// average, or how long the avalanche took.
func (p *Perf) cell() string {
	var s string
	switch {
	case p.Error != "" && p.Rate == 0:
		return firstLine(p.Error)
	case p.Offered == 0:
		s = fmt.Sprintf("%s, %s sent again", bench.Duration(p.Took), bench.Count(p.Resent))
	default:
		s = fmt.Sprintf("%s/s, %s and %s", bench.Count(p.Request.Received/perfSeconds), bench.Duration(p.Discover.Average), bench.Duration(p.Request.Average))
		if lost := p.lost(); lost > 0 {
			s += fmt.Sprintf(", %s lost", bench.Count(lost))
		}
		if p.Discover.Sent < p.Offered*perfSeconds*9/10 {
			s += fmt.Sprintf(" of %s", bench.Count(p.Discover.Sent))
		}
	}
	if p.Lost > 0 {
		s += fmt.Sprintf(" (%s by perfdhcp)", bench.Count(p.Lost))
	}
	return s
}

// span is the range of what counts in a cell, over the rounds: of the waits, or of
// the time that all took.
func (g perfGroup) span() string {
	if g[0].Offered == 0 {
		return perfTook.spread(g).span(inSeconds)
	}
	wait := figure[Perf]{of: func(p *Perf) (float64, bool) {
		return (p.Discover.Average + p.Request.Average).Seconds(), p.Error == "" && p.Request.Received > 0
	}}
	return wait.spread(g).span(inSeconds)
}

// perfTable is the table: a line for each server, a column for
// each load.
func (r *Result) perfTable() (header []string, rows [][]string) {
	header = []string{"server"}
	var loads, servers []string
	for _, g := range perfGroups(r.Perf) {
		p := g.middle()
		if !slices.Contains(loads, p.Load) {
			loads = append(loads, p.Load)
			title := "all of " + bench.Count(p.Clients) + " at once"
			if p.Offered > 0 {
				title = bench.Count(p.Offered) + "/s offered"
			}
			header = append(header, title)
		}
		at := slices.Index(servers, p.Server)
		if at < 0 {
			at = len(servers)
			servers = append(servers, p.Server)
			rows = append(rows, []string{p.Title})
		}
		rows[at] = append(rows[at], p.cell()+g.span())
	}
	return header, rows
}

// counterIn reads a counter from a table like /proc/net/snmp: two lines with the
// same prefix, the first with the names.
func counterIn(table, prefix, name string) int {
	var names []string
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != prefix {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		if at := slices.Index(names, name); at > 0 && at < len(fields) {
			v, _ := strconv.Atoi(fields[at])
			return v
		}
	}
	return 0
}
