package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A report of a measurement is to name what measured.
func TestVersionNamesTheProgramAndItsBuild(t *testing.T) {
	root := rootCommand()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs([]string{"--version"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	if fields := strings.Fields(out.String()); len(fields) < 2 || fields[0] != "bench" {
		t.Errorf("--version printed %q", out.String())
	}
}

func TestManualPagesBearTheNameItWasCalledBy(t *testing.T) {
	dir := t.TempDir()
	root := rootCommand()
	root.Use = packaged
	root.SetArgs([]string{"man", dir})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	for _, c := range root.Commands() {
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		page, err := os.ReadFile(filepath.Join(dir, packaged+"-"+c.Name()+".1"))
		if err != nil {
			t.Error(err)
		} else if !bytes.Contains(page, []byte(packaged+" "+c.Name())) && !bytes.Contains(page, []byte(packaged+`\-`+c.Name())) && !bytes.Contains(page, []byte(packaged+"-"+c.Name())) {
			t.Errorf("the page of %s does not name %s", c.Name(), packaged)
		}
	}
}
