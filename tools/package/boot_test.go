//go:build cleanroot

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bootstorm/tools/guide"
	"bootstorm/tools/lab"
)

// As a new user would: the package is installed in a clean Debian, the guide's
// files come from its examples, nothing else is configured. The service's own
// command line serves four nodes, which boot by the guide's chain.
func TestNodesBootFromThePackage(t *testing.T) {
	root := os.Getenv("BOOTSTORM_CLEAN_ROOT")
	if root == "" {
		t.Fatal("BOOTSTORM_CLEAN_ROOT is to be a Debian with the package: run make package-test")
	}
	l := lab.ForTest(t)
	node0, err := l.Node0(guide.Address)
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := l.Client("nodes", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := guide.WriteRoot(filepath.Join(root, "srv/tftp"), os.Getenv("BOOTSTORM_DEPS")); err != nil {
		t.Fatal(err)
	}
	examples := filepath.Join(root, "usr/share/doc/bootstorm/examples")
	for _, name := range []string{"refind.pxe", "refind.conf"} {
		text, err := os.ReadFile(filepath.Join(examples, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "srv/tftp", name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// The example is the guide's file; only its placeholder is the operator's.
	if err := os.MkdirAll(filepath.Join(root, "etc/dhcp"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "etc/dhcp/dhcpd.conf"), guide.Config("52:54:00:00:00:01"), 0o644); err != nil {
		t.Fatal(err)
	}
	server, err := node0.Start(append([]string{"chroot", root}, serviceCommand(t, root, "eth1")...)...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.WaitLine("ready", 20*time.Second); err != nil {
		t.Fatal(err)
	}
	status, out, err := nodes.Run(2*time.Minute, "chroot", root, "/usr/sbin/bootstorm-bench", "storm", "--interface", "eth0",
		"--tftp-root", "/srv/tftp", "--nodes", "4", "--limit", "60s", "--quiet")
	if err != nil || status != 0 {
		t.Fatalf("status %d, %v\n%s\n%s", status, err, out, server.Output())
	}
	t.Log("\n" + out)
	_, leases, err := node0.Run(10*time.Second, "chroot", root, "/usr/sbin/bootstorm", "leases")
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range guide.Pool {
		if !strings.Contains(leases, address) {
			t.Errorf("no lease of %s:\n%s", address, leases)
		}
	}
	info, err := os.Stat(filepath.Join(root, "var/lib/bootstorm/dhcpd.leases"))
	if err != nil || info.Size() == 0 {
		t.Errorf("the leases are not where the unit keeps them: %v", err)
	}
}

// serviceCommand is what the unit of the package starts.
func serviceCommand(t *testing.T, root, ifname string) []string {
	unit, err := os.ReadFile(filepath.Join(root, "usr/lib/systemd/system/bootstorm@.service"))
	if err != nil {
		t.Fatal(err)
	}
	_, line, ok := strings.Cut(string(unit), "\nExecStart=")
	if !ok {
		t.Fatal("the unit starts nothing")
	}
	line, _, _ = strings.Cut(line, "\n")
	line = strings.NewReplacer("%I", ifname, "$BOOTSTORM_OPTIONS", "").Replace(line)
	return strings.Fields(line)
}
