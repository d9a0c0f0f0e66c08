// Command audit looks for known vulnerabilities in what both programs call:
// govulncheck with the reports of the Go project, in the versions that
// tools/tools.mod and tools/vulndb.mod pin, so that it needs no network and says
// the same tomorrow. The standard library is that of the Go which builds the audit:
// "make audit" chooses the one that builds the package, too (tools/toolchain.sh). The reports come as a module of data; govulncheck wants them
// with an index, which is made here (go.dev/doc/security/vuln/database). That
// project has a program for it, too, whose build takes a minute and a half and a
// hundred modules.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

func main() {
	out := flag.String("db", "build/vulndb", "`DIR` to make the database in")
	flag.Parse()
	if err := audit(*out); err != nil {
		fmt.Fprintln(os.Stderr, "audit:", err)
		os.Exit(1)
	}
}

// programs are what is shipped. Tests and tools may have what they like.
var programs = []string{"./cmd/bootstorm", "./cmd/bench"}

// known is a vulnerability that every toolchain until now is told of when a
// program of that version is looked at: the audit's own test. A database that
// lacks it is not read as it should be.
const known = "GO-2022-0969" // net/http, fixed in go1.18.6 and go1.19.1

// audit makes the database and looks.
func audit(dir string) error {
	reports, version, err := download()
	if err != nil {
		return err
	}
	n, err := makeDatabase(reports, dir)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "ID", known+".json")); err != nil {
		return fmt.Errorf("the reports lack %s, which is old: they are not those of the Go project", known)
	}
	fmt.Printf("%d reports as of %s (golang.org/x/vulndb %s), for what is built with %s\n", n, dateOf(version), version, runtime.Version())
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	cmd := exec.Command("go", append([]string{"tool", "-modfile=tools/tools.mod", "govulncheck", "-db", "file://" + abs}, programs...)...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("govulncheck: %w: what it names is called by what is shipped; bring the module or, for the standard library, "+
			"the toolchain line of go.mod to the version that it says is fixed", err)
	}
	return nil
}

// download has the reports fetched, checked against tools/vulndb.sum, and
// returns where they are.
func download() (dir, version string, err error) {
	out, err := exec.Command("go", "mod", "download", "-modfile=tools/vulndb.mod", "-json", "golang.org/x/vulndb").Output()
	if err != nil {
		return "", "", fmt.Errorf("the reports cannot be had: go mod download golang.org/x/vulndb: %w\n%s", err, out)
	}
	var module struct{ Dir, Version string }
	if err := json.Unmarshal(out, &module); err != nil {
		return "", "", err
	}
	return filepath.Join(module.Dir, "data", "osv"), module.Version, nil
}

var pseudo = regexp.MustCompile(`(\d{8})(\d{6})-[0-9a-f]{12}$`)

// dateOf reads the day out of a version that has no other name.
func dateOf(version string) string {
	m := pseudo.FindStringSubmatch(version)
	if m == nil {
		return version
	}
	t, err := time.Parse("20060102", m[1])
	if err != nil {
		return strings.TrimPrefix(version, "v")
	}
	return t.Format(time.DateOnly)
}
