package conform

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"bootstorm/pcap"
)

// differences is the reviewed list of what is meant to differ.
const differences = "testdata/differences.txt"

// TestAnswersAsDhcpd has every conversation of testdata with both servers. A
// file holds a dhcpd.conf, a line of dashes, and the conversation.
func TestAnswersAsDhcpd(t *testing.T) {
	needDhcpd(t)
	t.Parallel()
	names(t)
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	list := review(t)
	var mu sync.Mutex
	t.Run("cases", func(t *testing.T) {
		for _, file := range files {
			if file == differences {
				continue
			}
			name := strings.TrimSuffix(filepath.Base(file), ".txt")
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				conf, conversation, ok := strings.Cut(string(text), "\n----\n")
				if !ok {
					t.Fatal("no line of dashes")
				}
				twice(t, &mu, list, func(w waits) ([]pcap.Difference, *site) { return converse(t, w, name, conf, conversation) })
			})
		}
	})
	unused(t, list, func(e *pcap.Entry) bool { return e.Captures[0] != takeOver && e.Captures[0] != madeUp })
}

// unused fails the test for entries of the list that explained nothing.
func unused(t *testing.T, list pcap.List, mine func(*pcap.Entry) bool) {
	t.Helper()
	if t.Failed() || filtered() {
		return
	}
	for _, e := range list.Unused() {
		if mine(e) {
			t.Errorf("%s:%d explains nothing any more: remove it", differences, e.Line)
		}
	}
}

// filtered tells whether -run leaves cases out.
func filtered() bool {
	for _, a := range os.Args {
		if strings.HasPrefix(a, "-test.run=") && strings.Contains(a, "/") {
			return true
		}
	}
	return false
}

// needDhcpd ends a test that has nothing to compare with.
func needDhcpd(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("dhcpd"); err != nil {
		t.Fatal("dhcpd is not installed, so nothing can be compared with it; run the tests with make test, which installs isc-dhcp-server:", err)
	}
}

// names has both servers look host names up in a file, and nowhere else: dhcpd
// waits for a name server before each ACK that needs one (get-lease-hostnames).
func names(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"hosts": "192.168.1.10 ten.example.org\n192.168.1.9 nine.example.org nine\n", "resolv.conf": ""} {
		file := filepath.Join(dir, name)
		err := os.WriteFile(file, []byte(text), 0o644)
		if err == nil {
			err = unix.Mount(file, "/etc/"+name, "", unix.MS_BIND, "") // in the private world of these tests
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Unmount("/etc/"+name, unix.MNT_DETACH) })
	}
}

// review reads the reviewed list.
func review(t *testing.T) pcap.List {
	t.Helper()
	text, err := os.ReadFile(differences)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pcap.ParseList(differences, string(text))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// converse starts both servers on a configuration and talks to them. Its first
// line may be "# defaults": then nothing is said for both.
func converse(t *testing.T, w waits, name, conf, conversation string) ([]pcap.Difference, *site) {
	t.Helper()
	s := newSite(t, w)
	if !strings.HasPrefix(conf, "# defaults") {
		conf = alike + conf
	}
	s.begin(conf, off+conf)
	return s.talk(name, 0x1000, conversation), s
}

// twice compares quickly, and once more with patience if a difference is found
// that is not on the list: that counts.
func twice(t *testing.T, mu *sync.Mutex, list pcap.List, run func(waits) ([]pcap.Difference, *site)) {
	t.Helper()
	for _, w := range []waits{quick, patient} {
		found, s := run(w)
		mu.Lock()
		open := list.Review(found)
		mu.Unlock()
		s.lab.Close()
		if open == 0 {
			return
		}
		if w == patient {
			s.logs()
			report(t, found)
		}
	}
}

// report fails the test for each difference that is not on the list.
func report(t *testing.T, found []pcap.Difference) {
	t.Helper()
	for _, d := range found {
		if d.Reason == "" {
			t.Errorf("to %q, %s, %s:\n     ours %s\n   dhcpd's %s", d.Request, d.Message, d.Field, d.Ours, d.Theirs)
		}
	}
}
