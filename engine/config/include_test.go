package config

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// files is a file system in memory.
type files map[string]string

func (f files) read(name string) ([]byte, error) {
	if text, ok := f[name]; ok {
		return []byte(text), nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("no such file")}
}

func (f files) parse(name string) *Tree {
	return ParseFile(name, Options{ReadFile: f.read, Resolve: noNames})
}

// TestInclude reads includes in several places; findings name the right file.
func TestInclude(t *testing.T) {
	f := files{
		"/etc/dhcpd.conf": "include \"/etc/options\";\nsubnet 10.0.0.0 netmask 255.255.255.0 { include \"range.conf\"; }\nclass \"c\" { match if known; include \"/etc/file\"; }\n",
		"/etc/options":    "option space s;\noption s.x code 1 = text;\ndefault-lease-time 60;\nddns-ttl 5;\n",
		"/etc/range.conf": "range 10.0.0.5;\nhost a { }\n",
		"/etc/file":       "filename \"f\";",
	}
	tree := f.parse("/etc/dhcpd.conf")
	if tree.HasErrors() || len(tree.Findings) != 1 {
		t.Fatal(render(tree))
	}
	if p := tree.Findings[0].Pos; p != (Pos{"/etc/options", 4, 1}) {
		t.Errorf("the warning is at %v", p)
	}
	if !strings.Contains(render(tree), "    ddns-ttl 5;\n    ^~~~~~~~\n") {
		t.Errorf("the line of the included file is not shown:\n%s", render(tree))
	}
	if len(tree.Root.Statements) != 1 || len(tree.Networks[0].Pool.Ranges) != 1 || len(tree.Hosts) != 1 ||
		len(tree.Classes[0].Scope.Statements) != 1 || len(tree.Sources) != 4 {
		t.Errorf("something of the included files is missing: %d sources", len(tree.Sources))
	}
}

// TestIncludeErrors lists includes that cannot be.
func TestIncludeErrors(t *testing.T) {
	chain := files{"a": `include "0";`}
	for i := range maxInclude + 1 {
		chain[fmt.Sprint(i)] = fmt.Sprintf("include \"%d\";", i+1)
	}
	many := files{"a": strings.Repeat("include \"b\";\n", 4), "b": strings.Repeat("include \"c\";\n", 3000), "c": ""}
	for _, c := range []struct {
		name, want string
		f          files
	}{
		{"a file that is not there", "cannot be included", files{"a": `include "b";`}},
		{"itself", "being read already", files{"a": `include "a";`}},
		{"each other", "being read already", files{"a": `include "b";`, "b": `include "a";`}},
		{"no quotes", "file name in quotes", files{"a": `include b;`}},
		{"no semicolon", "semicolon", files{"a": `include "b"`, "b": ""}},
		{"a file that closes a brace", "closes nothing", files{"a": `host x { include "b"; }`, "b": "}"}},
		{"a file that leaves a brace open", "never closed", files{"a": `include "b";`, "b": "host x {"}},
		{"what belongs to a body itself", "cannot come from an included file", files{"a": `host x { include "b"; }`, "b": "hardware ethernet 2:0:0:0:0:1;"}},
		{"a permit", "possible in a pool only", files{"a": inPool + `include "b"; } }`, "b": "allow known-clients;"}},
		{"too deep", "deeper than 16", chain},
		{"too many", "10000 files", many},
		{"the file itself", "cannot be read", files{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := c.f.parse("a")
			if !tree.HasErrors() || !strings.Contains(render(tree), c.want) {
				t.Errorf("want %q, got:\n%s", c.want, render(tree))
			}
		})
	}
}
