package peers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// What the README shows is what was measured last, in the form that this program
// gives it: make peers writes all of it. Before the first measurement it shows
// nothing.
func TestReadmeShowsTheResult(t *testing.T) {
	const root = "../.."
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	shown, ok := Block(readme)
	if !ok {
		t.Fatal("README.md lacks the marks between which the tables belong")
	}
	results := filepath.Join(root, "bench", "results")
	text, err := os.ReadFile(filepath.Join(results, "peers.json"))
	if errors.Is(err, fs.ErrNotExist) {
		if len(bytes.TrimSpace(shown)) > 0 {
			t.Error("README.md shows figures, and bench/results/peers.json, where they come from, is not there")
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	var r Result
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if want := r.Readme("bench/results/peers.svg"); !bytes.Equal(shown, want) {
		t.Errorf("README.md shows\n%s\nand the measurement says\n%s\nbench peers --from bench/results/peers.json --out bench/results --readme README.md writes it anew", shown, want)
	}
	for name, want := range map[string][]byte{"peers.md": r.Markdown(), "peers.svg": r.Picture()} {
		if got, err := os.ReadFile(filepath.Join(results, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what peers.json says, %v", name, err)
		}
	}
}
