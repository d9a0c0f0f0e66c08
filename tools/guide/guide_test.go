package guide

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConfigChangesThePlaceholderOnly(t *testing.T) {
	got := Config("52:54:00:12:34:01")
	if bytes.Contains(got, []byte(placeholder)) || !bytes.Contains(got, []byte("hardware ethernet 52:54:00:12:34:01;")) {
		t.Error("the placeholder was not replaced")
	}
	back := strings.Replace(string(got), "52:54:00:12:34:01", placeholder, 1)
	if back != string(dhcpdConf) {
		t.Error("more than the placeholder was changed")
	}
}

func TestWriteRoot(t *testing.T) {
	deps, dir := t.TempDir(), filepath.Join(t.TempDir(), "root")
	for _, f := range []string{debianIPXE, debianRefind} {
		unpacked := filepath.Join(deps, f)
		if err := errors.Join(os.MkdirAll(filepath.Dir(unpacked), 0o755), os.WriteFile(unpacked, []byte("program"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteRoot(dir, deps); err != nil {
		t.Fatal(err)
	}
	for _, name := range Files {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || len(text) == 0 {
			t.Errorf("%s: %d bytes, %v", name, len(text), err)
		}
	}
}

func TestReadEither(t *testing.T) {
	if _, err := readEither("/no/such/file", t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want that it does not exist", err)
	}
	if _, err := readEither("/no/such/file", ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want that it does not exist", err)
	}
}
