// Command package makes what the Debian package holds besides the programs
// themselves, from the programs: manual pages, completions, the unit with the
// package's path, and the licences of everything that is linked in. nfpm.yaml
// beside it says where each part goes.
package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	bin := flag.String("bin", "build/package/bin", "`DIR` of the programs bootstorm and bootstorm-bench")
	out := flag.String("out", "build/package/parts", "`DIR` to write to")
	flag.Parse()
	if err := makeParts(*bin, *out); err != nil {
		fmt.Fprintln(os.Stderr, "package:", err)
		os.Exit(1)
	}
}

// programs are what the package installs: the daemon with its commands, and what
// storms it in a rehearsal.
var programs = []string{"bootstorm", "bootstorm-bench"}

// makeParts writes all parts anew.
func makeParts(bin, out string) error {
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	for _, dir := range []string{"man", "completion/bash", "completion/zsh", "completion/fish"} {
		if err := os.MkdirAll(filepath.Join(out, dir), 0o755); err != nil {
			return err
		}
	}
	for _, step := range []func(bin, out string) error{manPages, completions, unit, copyright} {
		if err := step(bin, out); err != nil {
			return err
		}
	}
	return nil
}

// manPages has each program write its pages, the daemon's of section 8 and those
// of section 1, and compresses them as Debian wants.
func manPages(bin, out string) error {
	dir := filepath.Join(out, "man")
	for _, program := range programs {
		if _, err := output(bin, program, "man", dir); err != nil {
			return err
		}
		if found, err := filepath.Glob(filepath.Join(dir, program+".[18]")); err != nil || len(found) != 1 {
			return fmt.Errorf("%s man wrote no page of its own (%v)", program, err)
		}
	}
	pages, err := filepath.Glob(dir + "/*.[18]")
	if err != nil {
		return err
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			return err
		}
		if err := os.WriteFile(page+".gz", compress(text), 0o644); err != nil {
			return err
		}
		if err := os.Remove(page); err != nil {
			return err
		}
	}
	return nil
}

// compress is gzip -9n: no name and no time, so that the same text gives the
// same file.
func compress(text []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is a valid one
	z.Write(text)                                         // a buffer takes everything
	z.Close()
	return b.Bytes()
}

// completions asks each program for the scripts of each shell, under the names
// by which the shells find them.
func completions(bin, out string) error {
	for _, program := range programs {
		for shell, name := range map[string]string{"bash": program, "zsh": "_" + program, "fish": program + ".fish"} {
			script, err := output(bin, program, "completion", shell)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(out, "completion", shell, name), script, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// output runs a program of the package.
func output(bin, program string, args ...string) ([]byte, error) {
	path, err := filepath.Abs(filepath.Join(bin, program))
	if err != nil {
		return nil, err
	}
	var errors bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Stderr = &errors
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, errors.String())
	}
	return text, nil
}

// Where the program is by the README, and where by the package.
const (
	byHand    = "/usr/local/sbin/bootstorm"
	byPackage = "/usr/sbin/bootstorm"
)

// unit copies the systemd unit with the package's path: one that is named in
// full cannot be another program.
func unit(_, out string) error {
	const name = "bootstorm@.service"
	text, err := os.ReadFile("tools/systemd/" + name)
	if err != nil {
		return err
	}
	if !bytes.Contains(text, []byte("="+byHand+" ")) {
		return fmt.Errorf("%s does not start %s", name, byHand)
	}
	text = bytes.ReplaceAll(text, []byte(byHand), []byte(byPackage))
	return os.WriteFile(filepath.Join(out, name), text, 0o644)
}
