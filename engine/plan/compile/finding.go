package compile

import (
	"fmt"
	"strings"

	"bootstorm/engine/config"
	"bootstorm/engine/plan"
)

// report notes a finding. Its width is that of the first word at the place: the
// tree keeps where a thing begins, not where it ends.
func (c *compiler) report(severity config.Severity, pos config.Pos, remedy, message string, args ...any) {
	if severity == config.Error {
		c.failed = true
	}
	c.findings = append(c.findings, config.Finding{
		Pos: pos, Severity: severity, Width: max(1, len(c.word(pos))),
		Message: fmt.Sprintf(message, args...), Remedy: remedy,
	})
}

// error reports what keeps the configuration from being used.
func (c *compiler) error(pos config.Pos, remedy, message string, args ...any) {
	c.report(config.Error, pos, remedy, message, args...)
}

// warn reports what will not do what was probably meant.
func (c *compiler) warn(pos config.Pos, remedy, message string, args ...any) {
	c.report(config.Warning, pos, remedy, message, args...)
}

// maxRepeats is how many warnings of one kind are given; the last of them says
// how many more there are.
const maxRepeats = 3

type repeat struct{ count, last int }

// repeated warns about what a large file may have thousands of times.
func (c *compiler) repeated(kind string, pos config.Pos, remedy, message string, args ...any) {
	r := c.repeats[kind]
	if r == nil {
		r = &repeat{}
		c.repeats[kind] = r
	}
	if r.count++; r.count <= maxRepeats {
		c.warn(pos, remedy, message, args...)
		r.last = len(c.findings) - 1
	}
}

// tellRepeats completes the last warning of each kind that was cut short.
func (c *compiler) tellRepeats() {
	for _, r := range c.repeats {
		if more := r.count - maxRepeats; more > 0 {
			c.findings[r.last].Message += fmt.Sprintf(" (and %d more like it)", more)
		}
	}
}

// origin returns the index of a place in Plan.Origins.
func (c *compiler) origin(pos config.Pos) int32 {
	if at, ok := c.origins[pos]; ok {
		return at
	}
	at := int32(len(c.plan.Origins))
	c.plan.Origins = append(c.plan.Origins, plan.Origin{File: pos.File, Line: pos.Line, Col: pos.Col, Text: c.text(pos)})
	c.origins[pos] = at
	return at
}

// text is what stands at a place, to the end of the line or the statement's
// semicolon, without a comment.
func (c *compiler) text(pos config.Pos) string {
	rest := c.rest(pos)
	quoted := false
	for i := 0; i < len(rest); i++ {
		switch {
		case rest[i] == '\\' && quoted:
			i++
		case rest[i] == '"':
			quoted = !quoted
		case rest[i] == '#' && !quoted:
			return strings.TrimSpace(rest[:i])
		case rest[i] == ';' && !quoted:
			return rest[:i+1]
		}
	}
	return strings.TrimSpace(rest)
}

// word is the first word at a place: what a finding underlines.
func (c *compiler) word(pos config.Pos) string {
	rest := c.rest(pos)
	if i := strings.IndexAny(rest, " \t;{"); i >= 0 {
		return rest[:i]
	}
	return rest
}

// rest is the line from a place on; empty for a place that no file has, as those
// of the built-in options.
func (c *compiler) rest(pos config.Pos) string {
	lines := c.source(pos.File)
	if pos.Line < 1 || pos.Line > len(lines) {
		return ""
	}
	line := lines[pos.Line-1]
	return strings.TrimRight(line[min(max(pos.Col-1, 0), len(line)):], "\r")
}

// source returns the lines of a file. Splitting is done once per file: every
// statement of a large file asks for its own line.
func (c *compiler) source(name string) []string {
	if lines, ok := c.lines[name]; ok {
		return lines
	}
	var lines []string
	for i := range c.tree.Sources {
		if c.tree.Sources[i].Name == name {
			lines = strings.Split(string(c.tree.Sources[i].Text), "\n")
			break
		}
	}
	c.lines[name] = lines
	return lines
}
