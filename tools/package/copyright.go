package main

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
)

// component is something that is linked into the programs.
type component struct {
	name, version string
	dir           string // its source on this machine
}

// own says what the project's own sources say of their licence.
const own = `bootstorm is a DHCP and TFTP server for the simultaneous network boot of many
machines. %s

The programs of this package are linked statically with the modules below and
with the library of the Go language. Their licences follow, each once, with the
modules that it is for.
`

// copyright writes the file that Debian wants: every licence text that the
// programs are bound by. Which modules those are the programs know best.
func copyright(bin, out string) error {
	all, err := components(bin)
	if err != nil {
		return err
	}
	// Many modules share a text to the letter, so each text stands once.
	users := map[string][]string{}
	for _, c := range all {
		text, err := licence(c.dir)
		if err != nil {
			return fmt.Errorf("%s %s: %w", c.name, c.version, err)
		}
		users[text] = append(users[text], strings.TrimSpace(c.name+" "+c.version))
	}
	texts := make([]string, 0, len(users))
	for text := range users {
		texts = append(texts, text)
	}
	sort.Slice(texts, func(i, j int) bool { return users[texts[i]][0] < users[texts[j]][0] })
	var b bytes.Buffer
	fmt.Fprintf(&b, own, ownLicence("."))
	for _, text := range texts {
		fmt.Fprintf(&b, "\n%s\n%s\n\n%s\n", strings.Repeat("-", 78), strings.Join(users[text], "\n"), strings.TrimSpace(text))
	}
	return os.WriteFile(filepath.Join(out, "copyright"), b.Bytes(), 0o644)
}

// ownLicence returns the project's own licence, or says that it has none.
func ownLicence(root string) string {
	if text, err := licence(root); err == nil {
		return "Its licence:\n\n" + strings.TrimSpace(text)
	}
	return "Its source states no licence: ask its authors\nbefore you pass it on."
}

// components lists what the programs are made of, the Go library first.
func components(bin string) ([]component, error) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	var all []component
	seen := map[string]bool{}
	for _, program := range programs {
		info, err := buildinfo.ReadFile(filepath.Join(bin, program))
		if err != nil {
			return nil, err
		}
		if !seen["Go"] {
			seen["Go"] = true
			all = append(all, component{"Go", info.GoVersion, strings.TrimSpace(string(goroot))})
		}
		for _, m := range info.Deps {
			if seen[m.Path] {
				continue
			}
			seen[m.Path] = true
			dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", m.Path).Output()
			if err != nil {
				return nil, fmt.Errorf("go list -m %s: %w", m.Path, err)
			}
			all = append(all, component{m.Path, m.Version, strings.TrimSpace(string(dir))})
		}
	}
	return all, nil
}

// isLicence matches the names that licences, and the notices that some of them
// ask to be passed on, are kept under.
var isLicence = regexp.MustCompile(`(?i)^(licen[cs]e|copying|copyright|notice)([-.].*)?$`)

// licence returns the texts of the licence files in the top folder of a source.
func licence(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var texts []string
	for _, e := range entries {
		if !e.Type().IsRegular() || !isLicence.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", err
		}
		texts = append(texts, strings.TrimSpace(string(text)))
	}
	if len(texts) == 0 {
		return "", fmt.Errorf("no licence in %s: what may not be passed on cannot be packaged", dir)
	}
	return strings.Join(texts, "\n\n"), nil
}
