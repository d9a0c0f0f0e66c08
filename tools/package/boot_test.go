//go:build cleanroot

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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
	furnish(t, root)
	server, err := node0.Start(append([]string{"chroot", root}, serviceCommand(t, root, "eth1")...)...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.WaitLine("ready", 20*time.Second); err != nil {
		t.Fatal(err)
	}
	status, out, err := nodes.Run(2*time.Minute, "chroot", root, "/usr/bin/bootstorm-bench", "storm", "--interface", "eth0",
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

// The image's file system holds static programs, users and a lease directory,
// and its process the capabilities of the recipe and no others. A node boots from
// a daemon that has just that.
func TestNodeBootsFromWhatTheImageHolds(t *testing.T) {
	t.Chdir("../..")
	l := lab.ForTest(t)
	node0, err := l.Node0(guide.Address)
	if err != nil {
		t.Fatal(err)
	}
	node, err := l.Client("node", "")
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(os.Getenv("BOOTSTORM_CLEAN_ROOT"), "usr/sbin")
	image := t.TempDir()
	if err := os.Chmod(image, 0o755); err != nil {
		t.Fatal(err)
	}
	for to, from := range map[string]string{"usr/sbin/bootstorm": bin + "/bootstorm", "etc/passwd": "tools/container/passwd", "etc/group": "tools/container/group"} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(image, to), text, 0o755)
	}
	put(t, filepath.Join(image, "etc/dhcp/dhcpd.conf"), guide.Config("52:54:00:00:00:01"), 0o644)
	put(t, filepath.Join(image, "var/lib/bootstorm/.keep"), nil, 0o644)
	if err := os.Chown(filepath.Join(image, "var/lib/bootstorm"), 65532, 65532); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(image, "srv/tftp")
	if err := guide.WriteRoot(root, os.Getenv("BOOTSTORM_DEPS")); err != nil {
		t.Fatal(err)
	}
	furnish(t, image)
	const caps = "-all,+net_raw,+net_bind_service,+setuid,+setgid,+sys_chroot" // the last for chroot itself
	server, err := node0.Start("setpriv", "--bounding-set", caps, "--inh-caps", "-all", "--no-new-privs", "chroot", image,
		"/usr/sbin/bootstorm", "serve", "--interface", "eth1", "--lease-file", "/var/lib/bootstorm/dhcpd.leases")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.WaitLine("ready", 20*time.Second); err != nil {
		t.Fatalf("%v\n%s", err, server.Output())
	}
	status, out, err := node.Run(time.Minute, filepath.Join(os.Getenv("BOOTSTORM_CLEAN_ROOT"), "usr/bin/bootstorm-bench"), "storm", "--interface", "eth0", "--tftp-root", root, "--nodes", "1", "--limit", "50s", "--quiet")
	if err != nil || status != 0 {
		t.Fatalf("status %d, %v\n%s\n%s", status, err, out, server.Output())
	}
	if !strings.Contains(server.Output(), "runs as bootstorm (user 65532)") {
		t.Errorf("it did not become the user of the image:\n%s", server.Output())
	}
	info, err := os.Stat(filepath.Join(image, "var/lib/bootstorm/dhcpd.leases"))
	if err != nil || info.Size() == 0 {
		t.Errorf("no leases are kept: %v", err)
	}
}

// furnish gives a file system what every machine and every container has: /proc and
// /dev/null. The mounts are the private world's.
func furnish(t *testing.T, root string) {
	t.Helper()
	proc, null := filepath.Join(root, "proc"), filepath.Join(root, "dev/null")
	if err := os.MkdirAll(proc, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(null); err != nil {
		put(t, null, nil, 0o666)
	}
	for _, m := range []struct {
		source, target, kind string
		flags                uintptr
	}{{"proc", proc, "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC}, {"/dev/null", null, "", unix.MS_BIND}} {
		if err := unix.Mount(m.source, m.target, m.kind, m.flags, ""); err != nil {
			t.Fatalf("mount %s: %v", m.target, err)
		}
		t.Cleanup(func() { unix.Unmount(m.target, unix.MNT_DETACH) })
	}
}

// put writes a file and the folders above it.
func put(t *testing.T, path string, text []byte, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, mode); err != nil {
		t.Fatal(err)
	}
}
