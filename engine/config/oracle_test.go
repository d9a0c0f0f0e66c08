package config

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// verdict is what ISC dhcpd says of a configuration.
type verdict uint8

const (
	accepts verdict = iota
	rejects
	crashes // or hangs: it executes the top level's statements in a test, some of which it does not survive
)

// dhcpd asks the real dhcpd. The program is part of what the tests need: where
// it is absent the test fails, it does not pass unseen.
func dhcpd(t *testing.T, text string) verdict {
	t.Helper()
	path, err := exec.LookPath("dhcpd")
	if err != nil {
		path = "/usr/sbin/dhcpd"
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("dhcpd is not installed; run the tests with make test, which installs isc-dhcp-server: %v", err)
	}
	file := filepath.Join(t.TempDir(), "dhcpd.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err = exec.CommandContext(ctx, path, "-4", "-t", "-cf", file).Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return accepts
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return rejects
	case errors.As(err, &exit):
		return crashes
	}
	t.Fatal(err)
	return crashes
}

// ours are the constructs that we accept and dhcpd does not.
var ours = map[string]string{
	"hardware":                  "several hardware lines in a host",
	"boot-hints":                "a default of this server",
	"ipv6-router-advertisement": "a default of this server",
	"repeat-answers":            "a default of this server",
	"answer-arp":                "a default of this server",
	"known-clients-first":       "protection of this server",
	"dhcp-rate-limit":           "protection of this server",
	"tftp-rate-limit":           "protection of this server",
	"permitted-servers":         "protection of this server",
}

// TestOracleConstructs compares the verdicts for every example of the table:
// what is supported here or accepted without effect, dhcpd accepts too.
func TestOracleConstructs(t *testing.T) {
	for _, c := range Constructs {
		if c.Support == Refused {
			continue
		}
		got := dhcpd(t, c.Example)
		if want := ours[c.Name] != ""; (got == rejects) != want {
			t.Errorf("%s: dhcpd rejects it: %v, expected %v\n%s", c.Name, got == rejects, want, c.Example)
		}
	}
}

// TestOracleOptions gives every built-in option a value and compares verdicts.
func TestOracleOptions(t *testing.T) {
	var b strings.Builder
	b.WriteString("subnet 10.0.0.0 netmask 255.255.255.0 {\n")
	n := 0
	for _, s := range newUniverse().Spaces {
		if s.Name == SpaceServer {
			continue
		}
		for _, d := range s.Options {
			name := d.Name
			if s.Name != SpaceDHCP {
				name = s.Name + "." + name
			}
			b.WriteString("  option " + name + " " + sample(&d.Format) + ";\n")
			n++
		}
	}
	b.WriteString("}\n")
	if tree := parse(b.String()); len(tree.Findings) > 0 {
		t.Errorf("findings:\n%s", render(tree))
	}
	if dhcpd(t, b.String()) != accepts {
		t.Errorf("dhcpd rejects the built-in options:\n%s", b.String())
	}
	if n < 130 {
		t.Errorf("only %d built-in options", n)
	}
}

// sample writes a value of a format.
func sample(f *Format) string {
	words := map[FieldKind]string{FieldBoolean: "true", FieldIP: "10.0.0.1", FieldIP6: "2001:db8::1",
		FieldText: "\"text\"", FieldString: "01:02", FieldDomainName: "example.org",
		FieldDomainList: "\"example.org\", \"a.example.org\"", FieldEncapsulate: "01:02"}
	var record []string
	for _, field := range f.Fields {
		w, ok := words[field.Kind]
		if !ok && field.Kind != FieldFlag {
			w = "1"
		}
		if field.Array {
			w += ", " + w
		}
		record = append(record, w)
	}
	s := strings.Join(record, " ")
	if f.Array {
		s += ", " + s
	}
	return s
}
