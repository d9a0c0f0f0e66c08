package config

import (
	"fmt"
	"strings"
)

// Support is what becomes of a construct of dhcpd.conf(5).
type Support uint8

// The three classes of construct. Nothing is skipped silently.
const (
	Supported Support = iota
	Ignored           // accepted without effect, with a warning that says why
	Refused           // an error that names the construct and what to use instead
)

// String names the class as the table does.
func (s Support) String() string {
	return [...]string{"supported", "accepted without effect", "refused"}[s]
}

// Construct is one row of Constructs.
type Construct struct {
	Name    string // the word or words as written; a statement, parameter or expression
	Support Support
	Example string // a whole configuration that uses it once
	Note    string // supported: what is special; else why it has no effect or is refused
	Instead string // what to use instead; never empty for a refused one
}

// constructIndex finds rows by name.
var constructIndex = func() map[string]*Construct {
	index := make(map[string]*Construct, len(Constructs))
	for i := range Constructs {
		index[Constructs[i].Name] = &Constructs[i]
	}
	return index
}()

func constructNamed(name string) *Construct { return constructIndex[name] }

// ignore warns that a construct has no effect, unless it stands inside one that
// has been warned of as a whole.
func (p *parser) ignore(t *token, name string) {
	if p.quiet {
		return
	}
	c := constructNamed(name)
	p.repeated("ignored "+name, t, func() (string, string) {
		return fmt.Sprintf("%s is accepted without effect: %s", c.Name, c.Note), c.Instead
	})
}

// refuse reports a construct that is not supported.
func (p *parser) refuse(t *token, name string) bool {
	c := constructNamed(name)
	return p.fail(t, fmt.Sprintf("%s is not supported: %s", c.Name, c.Note), c.Instead)
}

// Markdown renders Constructs as a document for the operator.
func Markdown() []byte {
	var b strings.Builder
	b.WriteString("# What dhcpd.conf may contain\n\n" +
		"Every statement, parameter and expression of dhcpd.conf(5) and dhcp-eval(5) is in one of three classes. " +
		"`bootstorm check` prints a warning for each use of a construct that has no effect, and an error for one that is refused. " +
		"All options of dhcp-options(5) for DHCPv4 can be used, and others can be defined.\n")
	for _, s := range []Support{Supported, Ignored, Refused} {
		title := s.String()
		fmt.Fprintf(&b, "\n## %s%s\n\n", strings.ToUpper(title[:1]), title[1:])
		if s == Supported {
			b.WriteString("| Construct | Remarks |\n|---|---|\n")
		} else {
			b.WriteString("| Construct | Why | What to do |\n|---|---|---|\n")
		}
		for i := range Constructs {
			if c := &Constructs[i]; c.Support == s {
				c.row(&b)
			}
		}
	}
	return []byte(b.String())
}

// row writes one line of a table.
func (c *Construct) row(b *strings.Builder) {
	cell := strings.NewReplacer("|", "\\|").Replace
	fmt.Fprintf(b, "| `%s` | %s |", strings.ReplaceAll(c.Name, "|", "\\|"), cell(c.Note))
	if c.Support != Supported {
		fmt.Fprintf(b, " %s |", cell(c.Instead))
	}
	b.WriteString("\n")
}
