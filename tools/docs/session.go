// Package docs runs the examples of the documentation, so that they cannot
// rot: every fenced block marked "console" is a session at a shell on Node 0,
// and what the commands print must match what the document says.
//
// In a block a line that starts with "$ " or "# " is a command; the lines up to
// the next one are its output. A line "..." stands for any lines, "…" inside a
// line for any text. A command that ends in "&" stays in the background; its
// output is awaited.
package docs

import (
	"fmt"
	"regexp"
	"strings"
)

// Step is one command of a session and the output that the document shows.
type Step struct {
	Line    int // of the document
	Command string
	Output  []string
}

// Background tells whether the command keeps running.
func (s Step) Background() bool { return strings.HasSuffix(s.Command, "&") }

// Steps returns the commands of all console blocks of a Markdown text, in
// order.
func Steps(markdown string) ([]Step, error) {
	var steps []Step
	inside, other, opened := false, false, 0
	for i, line := range strings.Split(markdown, "\n") {
		switch {
		case !inside && !other && strings.HasPrefix(line, "```"):
			inside, other, opened = line == "```console", line != "```console", i+1
		case strings.HasPrefix(line, "```"):
			inside, other = false, false
		case inside && (strings.HasPrefix(line, "$ ") || strings.HasPrefix(line, "# ")):
			steps = append(steps, Step{Line: i + 1, Command: line[2:]})
		case inside && len(steps) == 0:
			return nil, fmt.Errorf("line %d: output before the first command", i+1)
		case inside:
			last := &steps[len(steps)-1]
			if strings.HasSuffix(last.Command, "\\") && len(last.Output) == 0 {
				last.Command += "\n" + strings.TrimPrefix(line, "> ")
				continue
			}
			last.Output = append(last.Output, strings.TrimRight(line, " "))
		}
	}
	if inside || other {
		return nil, fmt.Errorf("line %d: block is not closed", opened)
	}
	return steps, nil
}

// Match tells whether output is what the document shows.
func (s Step) Match(output string) bool {
	var pattern strings.Builder
	pattern.WriteString(`(?s)^`)
	want := s.Output
	for len(want) > 0 && want[len(want)-1] == "" {
		want = want[:len(want)-1]
	}
	for _, line := range want {
		if line == "..." {
			pattern.WriteString(`(?:[^\n]*\n)*?`)
			continue
		}
		for i, part := range strings.Split(line, "…") {
			if i > 0 {
				pattern.WriteString(`[^\n]*?`)
			}
			pattern.WriteString(regexp.QuoteMeta(part))
		}
		pattern.WriteString(`[ ]*\n`)
	}
	pattern.WriteString(`\n*$`)
	if s.Background() { // it goes on writing
		return regexp.MustCompile(strings.TrimSuffix(pattern.String(), `\n*$`)).MatchString(output)
	}
	return regexp.MustCompile(pattern.String()).MatchString(output)
}
