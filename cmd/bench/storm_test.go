package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bootstorm/bench"
)

const stormConf = `
option arch code 93 = unsigned integer 16;
subnet 192.168.1.0 netmask 255.255.255.240 {
    range 192.168.1.2 192.168.1.5;
    next-server 192.168.1.1;
    if exists user-class and option user-class = "iPXE" { filename "refind.pxe"; } else { filename "ipxe.efi"; }
}
`

// stormFiles writes a configuration and a TFTP root.
func stormFiles(t *testing.T) (conf, root string) {
	t.Helper()
	dir := t.TempDir()
	conf, root = filepath.Join(dir, "dhcpd.conf"), filepath.Join(dir, "tftp")
	for name, text := range map[string]string{conf: stormConf, filepath.Join(root, "ipxe.efi"): strings.Repeat("ipxe", 5000),
		filepath.Join(root, "refind.pxe"):     "#!ipxe\nchain tftp://${next-server}/refind_x64.efi\n",
		filepath.Join(root, "refind_x64.efi"): strings.Repeat("refind", 7000)} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return conf, root
}

// runBench runs the command and returns what it wrote to standard output.
func runBench(args ...string) (string, error) {
	var out, progress bytes.Buffer
	c := rootCommand()
	c.SetArgs(args)
	c.SetOut(&out)
	c.SetErr(&progress)
	err := c.Execute()
	return out.String(), err
}

func TestStormVirtual(t *testing.T) {
	conf, root := stormFiles(t)
	file := filepath.Join(t.TempDir(), "result.json")
	picture := filepath.Join(filepath.Dir(file), "storm.svg")
	out, err := runBench("storm", "--virtual", "--config", conf, "--tftp-root", root, "--address", "192.168.1.1/28",
		"--nodes", "4", "--boots", "3", "--json", file, "--svg", picture)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(out, "12 done, 0 failed") || !strings.Contains(out, "refind_x64.efi") {
		t.Errorf("output:\n%s", out)
	}
	if text, err := os.ReadFile(picture); err != nil || !strings.HasPrefix(string(text), "<svg ") {
		t.Errorf("the picture: %v, %.80s", err, text)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r bench.Result
	if err := json.Unmarshal(text, &r); err != nil || r.Done != 12 || r.Addresses != 4 || r.Sequence != "guide" {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestStormThatFails(t *testing.T) {
	conf, root := stormFiles(t)
	out, err := runBench("storm", "--virtual", "--config", conf, "--tftp-root", root, "--address", "192.168.1.1/28",
		"--nodes", "6", "--sequence", "dora", "--json", "-")
	var r bench.Result
	if !errors.Is(err, errDifferent) || json.Unmarshal([]byte(out), &r) != nil || r.Failed != 2 {
		t.Errorf("%v, %s", err, out)
	}
}

func TestStormUsage(t *testing.T) {
	conf, root := stormFiles(t)
	bad := filepath.Join(t.TempDir(), "bad.conf")
	if err := os.WriteFile(bad, []byte("subnet {"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"no target", []string{"--tftp-root", root}, "give one of --interface, --virtual"},
		{"two targets", []string{"--interface", "x", "--virtual"}, "exclude each other"},
		{"sequence", []string{"--virtual", "--sequence", "nonsense"}, "nonsense"},
		{"hardware address", []string{"--virtual", "--mac", "1:2"}, "--mac"},
		{"no root", []string{"--virtual", "--tftp-root", "/nonexistent"}, "--tftp-root"},
		{"no nodes", []string{"--virtual", "--tftp-root", root, "--nodes", "0"}, "0 nodes"},
		{"address", []string{"--virtual", "--tftp-root", root, "--address", "here"}, "--address"},
		{"configuration", []string{"--virtual", "--tftp-root", root, "--config", bad}, "errors"},
		{"interface", []string{"--tftp-root", root, "--interface", "nosuch0"}, "nosuch0"},
		{"arguments", []string{"--virtual", "more"}, "more"},
	} {
		args := append([]string{"storm", "--quiet"}, c.args...)
		if !strings.Contains(strings.Join(args, " "), "--config") {
			args = append(args, "--config", conf)
		}
		if _, err := runBench(args...); err == nil || errors.Is(err, errDifferent) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// The kinds of nodes and the files of boot loaders come from flags.
func TestStormOfKernels(t *testing.T) {
	conf, root := stormFiles(t)
	out, err := runBench("storm", "--virtual", "--config", conf, "--tftp-root", root, "--address", "192.168.1.1/28", "--nodes", "4",
		"--clients", "edk2,rom,grub,uboot", "--sequence", "kernel", "--files", "ipxe.efi,refind_x64.efi", "--windowsize", "16")
	if err != nil || !strings.Contains(out, "4 done, 0 failed") || !strings.Contains(out, "/refind_x64.efi") {
		t.Errorf("%v\n%s", err, out)
	}
	for want, args := range map[string][]string{"--clients": {"--clients", "pxe"}, "names of files": {"--sequence", "kernel"},
		"windowsize": {"--windowsize", "70000"}} {
		_, err := runBench(append([]string{"storm", "--virtual", "--config", conf, "--tftp-root", root}, args...)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// A storm may take an hour, and its result has nowhere to go after a mistyped path.
func TestResultsThatCannotBeWrittenStopAStormBeforeItBegins(t *testing.T) {
	conf, root := stormFiles(t)
	for _, flags := range [][]string{{"--svg", "/nonexistent/a.svg"}, {"--json", "/nonexistent/a.json"}, {"--boots", "0"}, {"--limit", "0s"}} {
		out, err := runBench(append([]string{"storm", "--virtual", "--config", conf, "--tftp-root", root, "--nodes", "1"}, flags...)...)
		if err == nil || !strings.Contains(err.Error(), flags[0]) || out != "" {
			t.Errorf("%v: %v\n%s", flags, err, out)
		}
	}
}
