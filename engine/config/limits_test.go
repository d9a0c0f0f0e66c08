package config

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestLimits goes one beyond each limit: an error that names it, and no panic.
func TestLimits(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nesting", strings.Repeat("group { ", 100000), "nested deeper than 64"},
		{"nesting of conditions", strings.Repeat("if known { ", 100000), "nested deeper than 64"},
		{"else if", "if known { }" + strings.Repeat(" else if known { }", maxChain+1), "chain of more than 1000"},
		{"parentheses", "if " + strings.Repeat("(", 100000), "more than 1000 levels"},
		{"not", "if " + strings.Repeat("not ", 100000), "more than 1000 levels"},
		{"comparisons", "if known" + strings.Repeat(` and option host-name = "a"`, 100000) + " { }", "more than 1000 levels"},
		{"calls", "set name = " + strings.Repeat("lcase (", 100000), "more than 1000 levels"},
		{"addresses", "subnet 10.0.0.0 netmask 255.0.0.0 { range 10.0.0.0 10.15.255.255; range 10.16.0.0; }", "more than 1048576 addresses"},
		{"fields", "option x code 1 = { boolean" + strings.Repeat(", boolean", maxFields) + " };", "more than 100 fields"},
		{"bytes", strings.Repeat("#\n", maxBytes/2+1), "larger than 32 MiB"},
		{"a word", "host " + strings.Repeat("x", maxToken+1) + " { }", "dhcpd allows 1499"},
		{"a string", `filename "` + strings.Repeat("x", maxToken+1) + `";`, "dhcpd allows 1499"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := parse(c.text)
			text := render(tree)
			if !tree.HasErrors() || !strings.Contains(text, c.want) {
				t.Errorf("want %q, got:\n%.500s", c.want, text)
			}
		})
	}
}

// TestLimitsOfCounts: one more of what is counted than may be. The counts begin
// just below their limits, since a million hosts take a while.
func TestLimitsOfCounts(t *testing.T) {
	for _, c := range []struct{ name, fits, more, want string }{
		{"hosts", "host a { }", "host b { }", "more than 1048576 hosts"},
		{"classes", `class "a" { }`, `class "b" { }`, "more than 10000 classes"},
		{"subclasses", `class "a" { match hardware; } subclass "a" 1;`, `subclass "a" 2;`, "more than 1048576 subclasses"},
		{"options", "option a code 200 = text;", "option b code 201 = text;", "more than 10000 option definitions"},
		{"spaces", "option space a;", "option space b;", "more than 10000 option definitions"},
		{"subnets", "subnet 10.0.0.0 netmask 255.255.255.0 { }", "subnet 10.0.1.0 netmask 255.255.255.0 { }", "more than 100000 subnets"},
		{"pools", "subnet 10.0.0.0 netmask 255.255.255.0 { ", "pool { range 10.0.0.5; } }", "more than 100000 subnets"},
		{"shared networks", "", "shared-network x { subnet 10.0.0.0 netmask 255.255.255.0 { } }", "more than 100000 subnets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			read := func(text string) *Tree {
				p := newParser(Options{Resolve: noNames})
				p.counts.hosts, p.counts.classes, p.counts.subclasses = maxHosts-1, maxClasses-1, maxSubs-1
				p.counts.defined, p.counts.networks = maxDefined-1, maxNetworks-1
				if c.fits == "" {
					p.counts.networks = maxNetworks
				}
				return p.parse("test.conf", []byte(text))
			}
			if tree := read(c.fits); strings.Contains(render(tree), "more than") {
				t.Errorf("the last one that fits:\n%s", render(tree))
			}
			if tree := read(c.fits + "\n" + c.more); !tree.HasErrors() || !strings.Contains(render(tree), c.want) {
				t.Errorf("want %q, got:\n%s", c.want, render(tree))
			}
		})
	}
}

// TestFilesWithoutEnd: a device in place of a file ends at the limit.
func TestFilesWithoutEnd(t *testing.T) {
	for _, tree := range []*Tree{ParseFile("/dev/zero", Options{Resolve: noNames}),
		ParseText("f", []byte(`include "/dev/zero";`), Options{Resolve: noNames})} {
		if text := render(tree); !tree.HasErrors() || !strings.Contains(text, "larger than 32 MiB") {
			t.Errorf("%.300s", text)
		}
	}
}

// TestWithinLimits: what real files have is far from the limits.
func TestWithinLimits(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"800 classes joined by or", "if known" + strings.Repeat(` or option host-name = "a"`, 800) + " { }"},
		{"900 branches", "if known { }" + strings.Repeat(" elsif known { }", 900)},
		{"a pool of 1,048,576 addresses", "subnet 10.0.0.0 netmask 255.0.0.0 { range 10.0.0.0 10.15.255.255; }"},
		{"60 groups within each other", strings.Repeat("group { ", 60) + strings.Repeat("} ", 60)},
	} {
		if tree := parse(c.text); len(tree.Findings) > 0 {
			t.Errorf("%s:\n%.500s", c.name, render(tree))
		}
	}
}

// TestScale reads 100,000 hosts. It takes about a second; the bound is
// wide for a machine that is busy otherwise.
func TestScale(t *testing.T) {
	const hosts = 100000
	var b strings.Builder
	b.WriteString("subnet 10.0.0.0 netmask 255.0.0.0 { }\n")
	for i := range hosts {
		fmt.Fprintf(&b, "host node-%d {\n  hardware ethernet 02:00:00:%02x:%02x:%02x;\n  fixed-address 10.%d.%d.%d;\n  option host-name \"node-%d\";\n}\n",
			i, i>>16, i>>8&255, i&255, i>>16, i>>8&255, i&255, i)
	}
	start := time.Now()
	tree := parse(b.String())
	took := time.Since(start)
	if len(tree.Findings) > 0 || len(tree.Hosts) != hosts {
		t.Errorf("%d hosts\n%.500s", len(tree.Hosts), render(tree))
	}
	if took > time.Minute {
		t.Errorf("%d hosts took %v", hosts, took)
	}
	t.Logf("%d hosts, %d bytes: %v", hosts, b.Len(), took)
}

// TestManyMistakes: a large file that is wrong everywhere ends soon.
func TestManyMistakes(t *testing.T) {
	for _, piece := range []string{"a;", "{", "}", "\"", "option x 1;", "host a {", "if known {", "foo bar;", ";", "(", "# x\n{\n"} {
		start := time.Now()
		parse(strings.Repeat(piece, 1<<20/len(piece)))
		if took := time.Since(start); took > time.Minute {
			t.Errorf("1 MiB of %q took %v", piece, took)
		}
	}
}
