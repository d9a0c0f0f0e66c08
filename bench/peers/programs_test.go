package peers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bootstorm/engine/config"
	"bootstorm/engine/plan/compile"
)

// site is a site in which every program is there.
func site(t *testing.T, clients int) *Site {
	t.Helper()
	deps := t.TempDir()
	dir := filepath.Join(deps, "usr", "sbin")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, s := range All() {
		for _, p := range s.Programs {
			if err := os.WriteFile(filepath.Join(dir, p), nil, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	return &Site{Dir: t.TempDir(), Root: "/root-of-files", Clients: clients, Daemon: "/bin/bootstorm", Deps: deps}
}

// commandLine is what a server is started with, all its daemons.
func commandLine(t *testing.T, s *Server, clients int) (string, *Site) {
	t.Helper()
	at := site(t, clients)
	commands, err := s.commands(at)
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	var all []string
	for _, c := range commands {
		all = append(all, c.args...)
	}
	return strings.Join(all, " "), at
}

func TestCommands(t *testing.T) {
	want := map[string][]string{
		"bootstorm":     {"serve --interface eth1", "--tftp-root /root-of-files"},
		"dnsmasq":       {"--dhcp-range=192.168.16.1,192.168.31.160,", "--tftp-root=/root-of-files", "ipxe.efi", "refind.pxe"},
		"dnsmasq-tuned": {"--dhcp-lease-max=10000", "--tftp-max=50000", "--no-ping"},
		"dhcpd":         {"dhcpd -4", "in.tftpd -L", "--secure /root-of-files"},
		"dhcpd-tuned":   {"dhcpd -4", "unshare --mount", "nsswitch.conf", "in.tftpd -L"},
		"kea":           {"kea-dhcp4 -c", "--maxthread 100"},
		"kea-tuned":     {"kea-dhcp4 -c", "--maxthread 500"},
	}
	for _, s := range All() {
		t.Run(s.Name, func(t *testing.T) {
			line, _ := commandLine(t, &s, 1000)
			for _, text := range want[s.Name] {
				if !strings.Contains(line, text) {
					t.Errorf("%q is missing in %s", text, line)
				}
			}
			if !s.Tuned && (strings.Contains(line, "--no-ping") || strings.Contains(line, "--tftp-max")) {
				t.Errorf("as installed, but tuned: %s", line)
			}
		})
	}
}

// Both dhcpd.conf files can be compiled, and give out the pool. Ours is out of
// the box: the guide's, ping check included.
func TestDhcpdConf(t *testing.T) {
	for _, s := range All() {
		if s.Name != "bootstorm" && s.Name != "dhcpd" && s.Name != "dhcpd-tuned" {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			_, at := commandLine(t, &s, 300)
			text, err := os.ReadFile(filepath.Join(at.Dir, "dhcpd.conf"))
			if err != nil {
				t.Fatal(err)
			}
			tree := config.ParseText("dhcpd.conf", text, config.Options{})
			if p, findings := compile.Compile(tree); p == nil {
				t.Errorf("%v %v", tree.Findings, findings)
			}
			if !strings.Contains(string(text), "range 192.168.16.1 192.168.20.176;") || strings.Contains(string(text), "xx:xx") {
				t.Errorf("pool or placeholder:\n%s", text)
			}
			if pings := strings.Contains(string(text), "ping-check = 1"); pings == s.Tuned {
				t.Errorf("ping check: %v", pings)
			}
		})
	}
}

// Kea reads JSON with comments; ours has none.
func TestKeaConf(t *testing.T) {
	for _, tuned := range []bool{false, true} {
		var v map[string]map[string]any
		if err := json.Unmarshal([]byte(keaConf(&Site{Dir: "/d", Clients: 50}, tuned)), &v); err != nil {
			t.Fatal(err)
		}
		if _, ok := v["Dhcp4"]["match-client-id"]; ok != tuned {
			t.Errorf("tuned %v: %v", tuned, v["Dhcp4"])
		}
	}
}

func TestPool(t *testing.T) {
	for clients, want := range map[int]string{1: "192.168.16.4", 64: "192.168.17.0", 60000: "192.168.255.254"} {
		s := Site{Clients: clients}
		if _, last := s.pool(); last.String() != want {
			t.Errorf("%d clients: until %s, want %s", clients, last, want)
		}
	}
}

func TestSelect(t *testing.T) {
	all, err := Select(nil)
	if err != nil || len(all) != 7 || !all[0].Ours {
		t.Fatalf("%d servers, %v", len(all), err)
	}
	plain := regexp.MustCompile(`^[a-z-]+$`)
	for _, s := range all {
		if !plain.MatchString(s.Name) || s.Tuned != strings.HasSuffix(s.Name, "-tuned") {
			t.Errorf("name %q", s.Name)
		}
	}
	two, err := Select([]string{"kea", "bootstorm"})
	if err != nil || len(two) != 2 || two[0].Name != "bootstorm" || two[1].Name != "kea" {
		t.Errorf("%+v, %v", two, err)
	}
	if _, err := Select([]string{"kea", "nonsense"}); err == nil || !strings.Contains(err.Error(), "nonsense") || !strings.Contains(err.Error(), "dnsmasq-tuned") {
		t.Errorf("error %v", err)
	}
}

func TestMissing(t *testing.T) {
	s := Server{Programs: []string{"no-such-daemon", "sh", "no-such-daemon"}}
	if got := Missing([]Server{s, s}, nil, "/nonexistent"); !slices.Equal(got, []string{"no-such-daemon"}) {
		t.Errorf("missing %v", got)
	}
	if got := Missing(nil, nil, ""); got != nil {
		t.Errorf("missing %v", got)
	}
}
