package main

import (
	"compress/gzip"
	"debug/buildinfo"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"bootstorm/tools/lab"
)

func TestMain(m *testing.M) { lab.Main(m) }

// programsAndParts builds the programs under their packaged names, and says where
// parts made from them may go.
func programsAndParts(t *testing.T) (bin, out string) {
	t.Helper()
	bin, out = t.TempDir(), filepath.Join(t.TempDir(), "parts")
	for name, dir := range map[string]string{"bootstorm": "./cmd/bootstorm", "bootstorm-bench": "./cmd/bench"} {
		build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(bin, name), dir)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if text, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	return bin, out
}

func TestPartsAreMadeFromThePrograms(t *testing.T) {
	t.Chdir("../..") // where the paths begin
	bin, out := programsAndParts(t)
	if err := makeParts(bin, out); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for name, want := range map[string]string{
		"completion/bash/bootstorm":            "complete -o default -F __start_bootstorm bootstorm",
		"completion/bash/bootstorm-bench":      "__start_bootstorm-bench bootstorm-bench",
		"completion/zsh/_bootstorm":            "#compdef bootstorm\n",
		"completion/fish/bootstorm-bench.fish": "complete -c bootstorm-bench ",
		"bootstorm@.service":                   "\nExecStart=/usr/sbin/bootstorm serve --interface %I ",
	} {
		if !strings.Contains(read(name), want) {
			t.Errorf("%s does not contain %q", name, want)
		}
	}
	if strings.Contains(read("bootstorm@.service"), "/usr/local") {
		t.Error("the unit still names the path of an installation by hand")
	}
	page := gunzip(t, filepath.Join(out, "man/bootstorm-serve.8.gz"))
	if !strings.Contains(page, ".TH") || !strings.Contains(page, "interface") {
		t.Errorf("bootstorm-serve.8 is no manual page:\n%.300s", page)
	}
	for _, name := range []string{"bootstorm-bench.1.gz", "bootstorm-bench-storm.1.gz"} {
		if page := gunzip(t, filepath.Join(out, "man", name)); !strings.Contains(page, ".TH") || !strings.Contains(page, "bootstorm-bench") {
			t.Errorf("%s is no manual page of the packaged name:\n%.300s", name, page)
		}
	}
	// Whatever is linked in has its licence in the file, and none twice.
	text := read("copyright")
	info, err := buildinfo.ReadFile(filepath.Join(bin, "bootstorm"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range info.Deps {
		if strings.Count(text, "\n"+m.Path+" "+m.Version+"\n") != 1 {
			t.Errorf("%s %s does not stand once in the copyright file", m.Path, m.Version)
		}
	}
	if !strings.Contains(text, "The Go Authors") || !strings.Contains(text, "Apache License") {
		t.Error("licence texts are missing")
	}
	packagedFilesExist(t, out)
}

func gunzip(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// packagedFilesExist checks every source that nfpm.yaml names; the programs and
// their lists of parts are the Makefile's to build.
func packagedFilesExist(t *testing.T, out string) {
	text, err := os.ReadFile("tools/package/nfpm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`(?m)(?:src|postinstall|preremove|postremove): (\S+)`).FindAllStringSubmatch(string(text), -1)
	if len(all) < 15 {
		t.Fatalf("only %d files in nfpm.yaml", len(all))
	}
	for _, m := range all {
		source := m[1]
		if below, ok := strings.CutPrefix(source, "build/package/parts/"); ok {
			source = filepath.Join(out, below)
		} else if strings.HasPrefix(source, "build/") {
			continue
		}
		if found, err := filepath.Glob(source); err != nil || len(found) == 0 {
			t.Errorf("nfpm.yaml names %s, which does not exist", m[1])
		}
	}
}

// A dhcpd.conf in the package would take the place of the operator's own.
func TestThePackageHasNoConfigurationOfItsOwn(t *testing.T) {
	t.Chdir("../..")
	text, err := os.ReadFile("tools/package/nfpm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "dst: /etc/bootstorm/dhcpd.conf") || strings.Contains(string(text), "dst: /etc/dhcp") {
		t.Error("nfpm.yaml installs a dhcpd.conf where the daemon looks for one")
	}
}

// dash is what runs them on Debian.
func TestMaintainerScriptsParse(t *testing.T) {
	t.Chdir("../..")
	scripts, _ := filepath.Glob("tools/package/debian/p*")
	if len(scripts) != 3 {
		t.Fatalf("%d scripts", len(scripts))
	}
	for _, s := range scripts {
		if out, err := exec.Command("sh", "-n", s).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", s, err, out)
		}
	}
}

func TestCopyrightRefusesWhatHasNoLicence(t *testing.T) {
	dir := t.TempDir()
	if _, err := licence(dir); err == nil {
		t.Error("a source without a licence was accepted")
	}
	if text := ownLicence(dir); !strings.Contains(text, "states no licence") {
		t.Errorf("of its own it says %q", text)
	}
	for name, text := range map[string]string{"LICENSE.txt": "first\n", "NOTICE": "second\n", "licenses.go": "no"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := licence(dir); err != nil || text != "first\n\nsecond" {
		t.Errorf("%q, %v", text, err)
	}
}
