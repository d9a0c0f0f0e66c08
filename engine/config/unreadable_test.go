package config

import (
	"io/fs"
	"strings"
	"testing"
)

// A file for dhcpd that holds a key is often unreadable for the user that the
// server becomes, though root, who looks, can read it.
func TestUnreadableFilesAreToldWithTheCommandThatHelps(t *testing.T) {
	denied := func(name string) ([]byte, error) {
		if name == "main" {
			return []byte(`include "key.conf";`), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	for _, file := range []string{"key.conf", "main"} {
		tree := ParseFile(file, Options{ReadFile: denied})
		if len(tree.Findings) != 1 {
			t.Fatalf("%s: %v", file, tree.Findings)
		}
		text := tree.Render(tree.Findings[0])
		if !strings.Contains(text, "permission denied\n") || !strings.Contains(text, "chgrp bootstorm key.conf && chmod g+r key.conf") || strings.Contains(text, "open ") {
			t.Errorf("%s:\n%s", file, text)
		}
	}
}

// A configuration that was copied from a web page.
func TestTypographicQuotesAreNamed(t *testing.T) {
	tree := ParseText("a.conf", []byte("filename \u201cipxe.efi\u201d;\n"), Options{})
	if len(tree.Findings) == 0 {
		t.Fatal("nothing found")
	}
	if text := tree.Render(tree.Findings[0]); !strings.Contains(text, "a.conf:1:10: error: a typographic quotation mark") || !strings.Contains(text, `write " instead`) {
		t.Errorf("%s", text)
	}
}
