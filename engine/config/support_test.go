package config

import (
	"strings"
	"testing"

	"bootstorm/proto"
)

// noNames is a resolver that knows only localhost.
func noNames(name string) ([]proto.Addr, error) {
	if name == "localhost" {
		return []proto.Addr{proto.AddrOf(127, 0, 0, 1)}, nil
	}
	return nil, errNoName
}

type stringError string

func (e stringError) Error() string { return string(e) }

const errNoName = stringError("no such name")

// parse reads text without the outside world, except for files that exist.
func parse(text string) *Tree {
	return ParseText("test.conf", []byte(text), Options{Resolve: noNames})
}

// render is all findings of a tree as the operator sees them.
func render(t *Tree) string {
	var b strings.Builder
	for _, f := range t.Findings {
		b.WriteString(t.Render(f))
	}
	return b.String()
}

// TestConstructsParse holds the table to the parser: each example parses to
// exactly the class of its row.
func TestConstructsParse(t *testing.T) {
	for _, c := range Constructs {
		t.Run(c.Name, func(t *testing.T) {
			tree := parse(c.Example)
			warnings, errors := 0, 0
			named := false
			for _, f := range tree.Findings {
				if f.Severity == Error {
					errors++
				} else {
					warnings++
				}
				named = named || strings.Contains(f.Message, c.Name+" is ")
			}
			switch c.Support {
			case Supported:
				if len(tree.Findings) > 0 {
					t.Errorf("a supported construct has findings:\n%s", render(tree))
				}
			case Ignored:
				if errors > 0 || warnings == 0 || !named && c.Name != "a name alone" {
					t.Errorf("not accepted with a warning that names it:\n%s", render(tree))
				}
			case Refused:
				if errors == 0 || !named {
					t.Errorf("not refused by name:\n%s", render(tree))
				}
			}
		})
	}
}

// aliases are words of the parser that the table lists under another name.
var aliases = map[string]string{
	"hardware": "hardware address", "static": "static address", "option": "option value",
	"authoritative": "authoritative",
}

// TestConstructsComplete holds the parser to the table: every word it knows has
// a row.
func TestConstructsComplete(t *testing.T) {
	known := map[string]string{}
	for w := range declarations {
		known[w] = "declaration"
	}
	for w := range executables {
		known[w] = "statement"
	}
	for w := range functions {
		known[w] = "function"
	}
	for w := range constants {
		known[w] = "constant"
	}
	for _, d := range newUniverse().Space(SpaceServer).Options {
		known[d.Name] = "parameter"
	}
	for w := range policies {
		for _, head := range []string{"allow ", "deny ", "ignore "} {
			if constructNamed("allow "+w) != nil {
				known[head+w] = "policy"
			}
		}
	}
	for _, w := range []string{"exists", "check", "defined", "gethostname", "gethostbyname", "v6relay", "config-option"} {
		known[w] = "expression"
	}
	for w, kind := range known {
		name := w
		if kind == "constant" && aliases[w] != "" {
			name = aliases[w]
		}
		if constructNamed(name) == nil {
			t.Errorf("the %s %s is not in Constructs", kind, w)
		}
	}
}

// TestConstructsText holds the rows to what the table promises of them.
func TestConstructsText(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Constructs {
		if seen[c.Name] {
			t.Errorf("%s is in the table twice", c.Name)
		}
		seen[c.Name] = true
		if c.Example == "" {
			t.Errorf("%s has no example", c.Name)
		}
		if c.Support != Supported && (c.Note == "" || c.Instead == "") {
			t.Errorf("%s lacks a reason or what to do instead", c.Name)
		}
	}
}

// TestMarkdown checks the rendered table by its rows.
func TestMarkdown(t *testing.T) {
	text := string(Markdown())
	rows := 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| `") {
			rows++
		}
	}
	if rows != len(Constructs) {
		t.Errorf("%d rows for %d constructs", rows, len(Constructs))
	}
	for _, want := range []string{"## Supported\n", "## Accepted without effect\n", "## Refused\n",
		"| `subnet6` | this is a DHCPv4 server |", "| `ddns-ttl` | there are no dynamic DNS updates |"} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q", want)
		}
	}
}
