package config

import (
	"bytes"
	"os"
	"testing"
)

// The page that the README links is the table that the parser is checked
// against; go test ./engine/config -run ConstructsPage -update writes it anew.
func TestConstructsPageIsTheTable(t *testing.T) {
	const page = "CONSTRUCTS.md"
	if *update {
		if err := os.WriteFile(page, Markdown(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, Markdown()) {
		t.Errorf("%s is not what the table says: run this test with -update", page)
	}
}
