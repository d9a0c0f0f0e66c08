package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"bootstorm/cmd/release"
	"bootstorm/tools/lab"
)

// asMain, in the environment of the test binary, makes it bootstorm itself: the
// lifecycle tests start it as a daemon.
const asMain = "BOOTSTORM_TEST_MAIN"

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		if file := os.Getenv(asIntruder); file != "" {
			go intrude(file)
		}
		main()
	}
	lab.Main(m)
}

// call runs a command line in this process.
func call(args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = run(args, &out, &err)
	return status, out.String(), err.String()
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n--- got\n%s\n--- want\n%s", name, got, want)
	}
}

// TestOutput is what each command prints for the guide's case and for others.
func TestOutput(t *testing.T) {
	root := t.TempDir()
	for name, length := range map[string]int{"ipxe.efi": 1000, "refind.pxe": 50} {
		if err := os.WriteFile(filepath.Join(root, name), make([]byte, length), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	explain := func(conf, mac string, more ...string) []string {
		return append([]string{"explain", "--config", "testdata/" + conf + ".conf", "--tftp-root", root, "--lease-file", "testdata/none", "--mac", mac}, more...)
	}
	for _, c := range []struct {
		name   string
		status int
		args   []string
	}{
		{"help", 0, []string{"--help"}},
		{"help-serve", 0, []string{"serve", "--help"}},
		{"help-check", 0, []string{"help", "check"}},
		{"help-explain", 0, []string{"explain", "-h"}},
		{"help-leases", 0, []string{"leases", "-h"}},
		{"help-capture", 0, []string{"capture", "-h"}},
		{"help-boot", 0, []string{"boot", "-h"}},
		{"help-watch", 0, []string{"watch", "-h"}},
		{"help-status", 0, []string{"status", "-h"}},
		{"help-reload", 0, []string{"reload", "-h"}},
		{"help-migrate", 0, []string{"migrate", "-h"}},
		{"check-guide", 0, []string{"check", "testdata/guide.conf", "--tftp-root", root}},
		{"check-bad", 1, []string{"check", "--config", "testdata/bad.conf", "--tftp-root", root}},
		{"check-pools", 0, []string{"check", "testdata/pools.conf", "--tftp-root", root, "--lease-file", "testdata/dhcpd.leases"}},
		{"check-lease-file", 1, []string{"check", "testdata/guide.conf", "--tftp-root", root, "--lease-file", "testdata/guide.conf"}},
		{"explain-uefi", 0, explain("guide", "52:54:00:12:34:01", "--arch", "7")},
		{"explain-ipxe", 0, explain("guide", "52-54-00-12-34-09", "--arch", "00:07", "--user-class", "iPXE")},
		{"explain-bios", 0, explain("guide", "52:54:00:12:34:01", "--arch", "0", "--uuid", "4c4c4544-0042-3510-8052-b4c04f303233")},
		{"explain-ia32", 0, explain("guide", "52:54:00:12:34:01", "--arch", "6")},
		{"explain-system", 0, explain("guide", "5254.0012.3401")},
		{"explain-relay", 1, explain("guide", "52:54:00:12:34:01", "--giaddr", "172.16.0.1")},
		{"explain-relayed", 0, explain("pools", "52:54:00:12:34:01", "--arch", "7", "--giaddr", "10.0.0.254")},
		{"explain-fixed", 0, explain("pools", "52:54:00:00:00:01", "--arch", "7")},
		{"explain-denied", 1, explain("pools", "52:54:00:00:00:02", "--arch", "7")},
		{"explain-not-permitted", 1, explain("pools", "52:54:00:12:34:01", "--vendor-class", "Phone 7")},
		{"explain-lease", 0, append(explain("guide", "52:54:00:12:34:02"), "--lease-file", "testdata/dhcpd.leases")},
		{"explain-taken", 0, append(explain("guide", "52:54:00:12:34:77"), "--lease-file", "testdata/dhcpd.leases")},
		{"leases-json", 0, []string{"leases", "--json", "--config", "testdata/guide.conf", "--lease-file", "testdata/dhcpd.leases"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, errs := call(c.args...)
			if status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			golden(t, c.name, strings.ReplaceAll(out+errs, root, "ROOT"))
		})
	}
}

// TestUsage are mistakes in the command line: status 2, what is wrong, and where
// to look.
func TestUsage(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"serve", "bootstorm serve: name the interface to serve on: --interface IF; this machine has "},
		{"serve --interface x --log-level loud", `log level "loud" is unknown: use debug, info, warn or error`},
		{"serve --interface x --log-format xml", `log format "xml" is unknown: use console or json`},
		{"serve --interface x --tftp-windowsize 65", "--tftp-windowsize 65: a window has 1 to 64 blocks"},
		{"serve --interface x --tftp-windowsize 0", "--tftp-windowsize 0: a window has 1 to 64 blocks"},
		{"serve --interface x --workers 0", "--workers 0: 1 to 16"},
		{"serve --interface x --sandbox some", "--sandbox some: on, off or strict"},
		{"serve --interface x --tftp-memory -1", "--tftp-memory -1: give the memory in MiB"},
		{"serve --interface x extra", `serve takes no argument, and was given "extra"; did you mean --interface extra?`},
		{"serve --bogus", "there is no flag --bogus"},
		{"explain", "bootstorm explain: name the node, once: its MAC address"},
		{"explain --mac 1:2", `--mac "1:2" is no Ethernet address: six bytes are needed`},
		{"explain --mac 52:54:00:12:34:01 --arch x64", `--arch "x64" is no architecture: give option 93 as a number`},
		{"explain --mac 52:54:00:12:34:01 --uuid 1", `--uuid "1" is no UUID`},
		{"explain --mac 52:54:00:12:34:01 --giaddr 1.2.3", `--giaddr "1.2.3" is no IPv4 address`},
		{"check a b", `"b" is one argument too many`},
		{"check a --config b", "name the configuration once"},
		{"bogus", `there is no command "bogus"`},
	} {
		status, out, errs := call(strings.Fields(c.line)...)
		if status != exitUsage || out != "" || !strings.Contains(errs, c.want) || !strings.Contains(errs, "--help\".\n") {
			t.Errorf("%s: status %d\n%s%s", c.line, status, out, errs)
		}
	}
}

// TestFailures are failures that are not the command line's: status 1, what, why
// and what to do.
func TestFailures(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"check testdata/none.conf", "no such file or directory; check the path"},
		{"leases --lease-file testdata/none", "no such file or directory; name another with --lease-file, or start the server first"},
		{"explain --mac 52:54:00:12:34:01 --config testdata/bad.conf", "the configuration testdata/bad.conf cannot be used:\ntestdata/bad.conf:"},
		{"explain --mac 52:54:00:12:34:01 --config testdata/guide.conf --interface none7", "interface none7 does not exist"},
		{"serve --sandbox off --interface x --config testdata/none.conf", "name another with --config"},
	} {
		status, _, errs := call(strings.Fields(c.line)...)
		if status != exitFailed || !strings.Contains(errs, c.want) {
			t.Errorf("%s: status %d\n%s", c.line, status, errs)
		}
	}
}

// TestExamples runs the parser over every example of the help: none has a flag
// that does not exist.
func TestExamples(t *testing.T) {
	count := 0
	for _, c := range append(rootCommand().Commands(), rootCommand()) {
		if c.Example == "" && !c.Hidden && c.Name() != "man" && c.Name() != "completion" && c.Name() != "help" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Example) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), " | ")
			line, _, _ = strings.Cut(line, " && ")
			line, _, _ = strings.Cut(line, " > ")
			rest, ok := strings.CutPrefix(line, "bootstorm ")
			if !ok {
				continue
			}
			count++
			cmd, args, err := rootCommand().Find(strings.Fields(rest))
			if err == nil {
				err = cmd.ParseFlags(args)
			}
			if err == nil {
				err = cmd.ValidateArgs(cmd.Flags().Args())
			}
			if err == nil {
				err = cmd.ValidateRequiredFlags()
			}
			if err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
	if count < 15 {
		t.Errorf("only %d examples", count)
	}
}

// TestManPages writes a page per command.
func TestManPages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man")
	if status, _, errs := call("man", dir); status != 0 {
		t.Fatal(errs)
	}
	for _, name := range []string{"bootstorm", "bootstorm-serve", "bootstorm-check", "bootstorm-explain", "bootstorm-leases"} {
		page, err := os.ReadFile(filepath.Join(dir, name+".8"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{".TH ", ".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION", ".SH EXAMPLE", ".SH SEE ALSO"} {
			if !strings.Contains(string(page), want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
	}
	page, _ := os.ReadFile(filepath.Join(dir, "bootstorm-serve.8"))
	if !strings.Contains(string(page), "--lease-file") || strings.Contains(string(page), "--rx") {
		t.Errorf("options of serve:\n%s", page)
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if status, out, errs := call("completion", shell); status != 0 || !strings.Contains(out, "bootstorm") {
			t.Errorf("%s: %d %s", shell, status, errs)
		}
	}
	for line, want := range map[string]string{
		"serve --log-format ": "console\njson\n", "serve --log-level ": "debug\ninfo\nwarn\nerror\n", "check --tftp-root ": ":16\n",
	} {
		args := append([]string{cobra.ShellCompNoDescRequestCmd}, strings.SplitN(line, " ", 3)...)
		if _, out, _ := call(args...); !strings.Contains(out, want) {
			t.Errorf("%q: %q", line, out)
		}
	}
}

func TestVersion(t *testing.T) {
	status, out, _ := call("--version")
	if want := fmt.Sprintf("bootstorm %s\n", release.Version(version)); status != 0 || out != want {
		t.Errorf("%d %q", status, out)
	}
}
