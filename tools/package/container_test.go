package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

const recipe = "tools/container/Containerfile"

// An engine that could build the recipe is not needed to see that what it copies
// is there, and that its Go is the project's.
func TestContainerRecipeNamesWhatIsThere(t *testing.T) {
	t.Chdir("../..")
	text, err := os.ReadFile(recipe)
	if err != nil {
		t.Fatal(err)
	}
	copies := regexp.MustCompile(`(?m)^COPY (.*)$`).FindAllStringSubmatch(string(text), -1)
	if len(copies) < 5 {
		t.Fatalf("only %d COPY lines", len(copies))
	}
	for _, m := range copies {
		if strings.HasPrefix(m[1], "--from") {
			continue
		}
		for words := strings.Fields(m[1]); len(words) > 1; words = words[1:] {
			if _, err := os.Stat(words[0]); err != nil {
				t.Errorf("COPY %s: %v", m[1], err)
			}
		}
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`(?m)^toolchain go(\d+\.\d+\.\d+)$`).FindStringSubmatch(string(mod))
	if want == nil || !strings.Contains(string(text), "/golang:"+want[1]+"-") {
		t.Errorf("the recipe does not build with the Go of go.mod, %v", want)
	}
}
