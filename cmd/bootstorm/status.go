package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"bootstorm/cmd/bootstorm/api"
	"bootstorm/cmd/bootstorm/text"
	"bootstorm/cmd/usage"
	"bootstorm/engine/span"
	"bootstorm/engine/story"
)

// exitUnknown is the status of "bootstorm status" when it could not find out:
// what monitoring plugins call unknown.
const exitUnknown = 3

// healthStatus are the other exit statuses of "bootstorm status".
var healthStatus = map[story.Health]int{story.HealthOK: 0, story.HealthDegraded: 1, story.HealthFailing: 2}

// statusError ends a command with a status of its own; err is printed unless it
// is nil.
type statusError struct {
	status int
	err    error
}

// Error returns the message.
func (e *statusError) Error() string { return fmt.Sprint(e.err) }

// statusCommand makes "bootstorm status".
func statusCommand() *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say how the nodes and the server are",
		Long: `status says how many nodes boot, are stuck and have booted, what is wrong with
the server, and for each stuck node the likely reason and what to do.` + targetHelp + `

Exit status: 0 all is well; 1 degraded: nodes are stuck, a pool is nearly used
up, another DHCP server answers; 2 failing: the server cannot do its work; 3 not
known: no daemon could be asked, or the command line is wrong.`,
		Example: `  # is everybody back?
  bootstorm status

  # the nodes that are not, for a script
  bootstorm status --json | jq -r '.stuck[].host'

  # for a monitoring system: the first line and the exit status say it all
  bootstorm status --quiet`,
		Args: usage.None("--interface %s"),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	o.target.add(cmd)
	cmd.Flags().BoolVar(&o.json, "json", false, "write one JSON object: the API's summary, and the stuck nodes as \"stuck\"")
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "write the first line only")
	cmd.Flags().IntVar(&o.limit, "limit", 20, "list at most `N` stuck nodes, 0 for all")
	usage.Exclusive(cmd, false, "json", "quiet")
	return cmd
}

// statusOptions are the flags of status.
type statusOptions struct {
	target target
	json   bool
	quiet  bool
	limit  int
}

// standing is what status shows, and its JSON.
type standing struct {
	story.Summary
	Stuck []story.Node `json:"stuck"`
}

// run asks and shows.
func (o *statusOptions) run(cmd *cobra.Command) error {
	if o.limit < 0 {
		return usageError{fmt.Errorf("--limit %d: give a number of nodes, 0 for all", o.limit)}
	}
	r, err := o.ask(cmd.Context())
	if err != nil {
		return &statusError{exitUnknown, err}
	}
	status, known := healthStatus[r.Health]
	if !known {
		return &statusError{exitUnknown, fmt.Errorf("the daemon's health is %q, which this version does not know: bring bootstorm and the daemon to the same version", r.Health)}
	}
	out := cmd.OutOrStdout()
	switch {
	case o.json:
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		err = e.Encode(r)
	default:
		page := newPage(out)
		page.first(&r)
		if !o.quiet {
			page.rest(&r)
		}
		_, err = io.WriteString(out, page.String())
	}
	if err != nil {
		return &statusError{exitUnknown, err}
	}
	if status != 0 {
		return &statusError{status, nil}
	}
	return nil
}

// ask fetches what is shown.
func (o *statusOptions) ask(ctx context.Context) (r standing, err error) {
	c, err := api.Open(o.target.Target)
	if err != nil {
		return r, err
	}
	if r.Summary, err = c.Summary(ctx); err != nil {
		return r, err
	}
	r.Stuck = []story.Node{} // an empty list is [] in JSON
	for r.States[story.StateStuck] > 0 && !o.quiet {
		limit := 1000
		if o.limit > 0 {
			limit = min(limit, o.limit-len(r.Stuck))
		}
		list, total, err := c.Nodes(ctx, story.Query{State: story.StateStuck, From: len(r.Stuck), Limit: limit})
		if err != nil {
			return r, err
		}
		r.Stuck = append(r.Stuck, list...)
		if len(list) == 0 || len(r.Stuck) >= total || o.limit > 0 && len(r.Stuck) >= o.limit {
			break
		}
	}
	return r, nil
}

// page is a status written for people: aligned, within the width of the
// terminal, coloured only there.
type page struct {
	strings.Builder
	width  int
	colour bool
}

// newPage makes an empty page for an output.
func newPage(out io.Writer) *page {
	p := &page{width: 80}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			p.width = min(max(w, 40), 120)
		}
		p.colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	return p
}

// paint colours a text by the health it stands for.
func (p *page) paint(h story.Health, s string) string {
	if !p.colour {
		return s
	}
	style := lipgloss.NewStyle().Bold(true)
	switch h {
	case story.HealthOK:
		style = style.Foreground(lipgloss.Green)
	case story.HealthDegraded:
		style = style.Foreground(lipgloss.Yellow)
	case story.HealthFailing:
		style = style.Foreground(lipgloss.Red)
	}
	return style.Render(s)
}

// line writes one line.
func (p *page) line(format string, args ...any) {
	fmt.Fprintf(&p.Builder, format+"\n", args...)
}

// para writes a text with a mark in front of its first line and as much space
// in front of the others.
func (p *page) para(mark, s string) {
	for _, l := range text.Wrap(text.Clean(s), p.width-len(mark)) {
		p.line("%s%s", mark, l)
		mark = strings.Repeat(" ", len(mark))
	}
}

// first writes the line that says it all.
func (p *page) first(r *standing) {
	s := r.States
	p.line("%s: %s: %d stuck, %d booting, %d booted", p.paint(r.Health, string(r.Health)), text.Nodes(r.Nodes),
		s[story.StateStuck], s[story.StateBooting], s[story.StateDone])
}

// rest writes everything else.
func (p *page) rest(r *standing) {
	p.para("  ", fmt.Sprintf("bootstorm %s on %s, up %s", r.Version, strings.Join(r.Interfaces, ", "), span.Text(r.Now.Sub(r.Started))))
	if len(r.Problems) > 0 {
		p.line("\nproblems")
	}
	for _, s := range r.Problems {
		p.para("  - ", s)
	}
	p.counts(r)
	p.stuck(r)
	if len(r.Rogues) > 0 {
		p.line("\nother machines that disturb")
	}
	for _, g := range r.Rogues {
		p.para("  - ", fmt.Sprintf("%s (%s), last seen %s: %s", g.MAC, g.Address, ago(r.Now.Sub(g.Seen)), g.Text))
	}
	if r.Lost > 0 {
		p.para("\n", fmt.Sprintf("%s events were lost on the way here: timelines may have gaps. Service was not affected.", text.Count(r.Lost)))
	}
}

// ago words how long ago something was.
func ago(d time.Duration) string {
	if d < time.Second {
		return "just now"
	}
	return span.Text(d) + " ago"
}

// counts writes where the nodes are, and how fast it goes.
func (p *page) counts(r *standing) {
	p.line("\nnodes by phase")
	for _, ph := range story.Phases {
		n := r.Phases[ph]
		bar := strings.Repeat("#", n*(p.width-24)/max(r.Nodes, 1))
		p.line("%s", strings.TrimRight(fmt.Sprintf("  %-9s %8s  %s", ph, text.Count(int64(n)), bar), " "))
	}
	if n := r.States[story.StateSystem]; n > 0 {
		p.line("  %-9s %8s  (installed systems that only use DHCP)", "systems", text.Count(int64(n)))
	}
	v := r.Rates
	p.line("\nlast second  %s leases, %s files, %s, %s booted", text.Rate(v.Leases), text.Rate(v.Files), text.Bytes(v.Bytes), text.Rate(v.Done))
	for i, pool := range r.Pools {
		name := ""
		if i == 0 {
			name = "pools"
		}
		p.line("%-12s %s  %s of %s used", name, pool.Range, text.Count(pool.Used), text.Count(pool.Size))
	}
}

// stuck writes the stuck nodes, those with one reason together.
func (p *page) stuck(r *standing) {
	n := r.States[story.StateStuck]
	if n == 0 {
		return
	}
	p.line("\nstuck")
	var reasons []string // in the order of their first node
	nodes := map[string][]*story.Node{}
	for i := range r.Stuck {
		v := &r.Stuck[i]
		why := cmp.Or(v.Reason, "last seen: "+v.Last)
		if nodes[why] == nil {
			reasons = append(reasons, why)
		}
		nodes[why] = append(nodes[why], v)
	}
	for _, why := range reasons {
		for _, v := range nodes[why] {
			name := cmp.Or(text.Clean(v.Host), v.MAC)
			if v.Host != "" {
				name += "  " + v.MAC
			}
			if v.Address != "" {
				name += "  " + v.Address
			}
			p.line("  %s  %s for %s", name, v.Phase, span.Text(r.Now.Sub(v.Since)))
		}
		p.para("      ", why)
	}
	if more := n - len(r.Stuck); more > 0 {
		p.line("  ... and %s more: --limit 0 lists all", text.Nodes(more))
	}
}
