package lab

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { Main(m) }

// must stops the test at an error of the lab itself.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPrivateWorld(t *testing.T) {
	if os.Getpid() != 1 {
		t.Errorf("pid %d: not the first process of a namespace of its own", os.Getpid())
	}
	links, err := net.Interfaces()
	must(t, err)
	if len(links) != 1 || links[0].Name != "lo" || links[0].Flags&net.FlagUp == 0 {
		t.Errorf("interfaces %v, want lo alone and up", links)
	}
	if entries, err := os.ReadDir("/run/netns"); err != nil || len(entries) != 0 {
		t.Errorf("/run/netns: %v %v, want it empty", entries, err)
	}
	if err := Enter(); err != nil {
		t.Errorf("Enter inside: %v", err)
	}
}

func TestSegmentCarriesTraffic(t *testing.T) {
	l := ForTest(t)
	node0, err := l.Node0("192.168.1.1/28")
	must(t, err)
	client, err := l.Client("c1", "02:00:00:00:0c:01")
	must(t, err)
	must(t, client.IP("addr add 192.168.1.2/28 dev eth0"))

	var server *net.UDPConn
	must(t, node0.Do(func() (err error) {
		server, err = net.ListenUDP("udp4", &net.UDPAddr{Port: 7})
		return err
	}))
	defer server.Close()
	must(t, client.Do(func() error {
		c, err := net.Dial("udp4", "192.168.1.1:7")
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Write([]byte("hello"))
		return err
	}))
	buf := make([]byte, 16)
	server.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, from, err := server.ReadFromUDP(buf)
	if err != nil || string(buf[:n]) != "hello" || from.IP.String() != "192.168.1.2" {
		t.Errorf("got %q from %v, %v", buf[:n], from, err)
	}
	out, err := client.Must("ip", "-o", "link", "show", "eth0")
	must(t, err)
	if !strings.Contains(out, "02:00:00:00:0c:01") {
		t.Errorf("client's MAC was not set: %s", out)
	}
}

func TestHostsAreSilent(t *testing.T) {
	l := ForTest(t)
	_, err := l.Node0("192.168.1.1/28")
	must(t, err)
	file := filepath.Join(t.TempDir(), "quiet.pcap")
	capture, err := l.Segment.Capture("br0", file)
	must(t, err)
	_, err = l.Client("c1", "")
	must(t, err)
	time.Sleep(300 * time.Millisecond)
	must(t, capture.Stop())
	must(t, capture.Stop()) // once more does no harm
	const pcapHeader = 24
	if st, err := os.Stat(file); err != nil || st.Size() != pcapHeader {
		t.Errorf("capture is %v bytes, %v: a host sent something by itself", st.Size(), err)
	}
}

func TestCaptureHoldsFrames(t *testing.T) {
	l := ForTest(t)
	node0, err := l.Node0("192.168.1.1/28")
	must(t, err)
	file := filepath.Join(t.TempDir(), "arp.pcap")
	capture, err := l.Segment.Capture("br0", file)
	must(t, err)
	must(t, node0.Do(func() error { // makes the kernel ask who has it
		c, err := net.Dial("udp4", "192.168.1.9:7")
		if err == nil {
			_, err = c.Write(nil)
			c.Close()
		}
		return err
	}))
	time.Sleep(50 * time.Millisecond)
	must(t, capture.Stop())
	f, err := os.Open(file)
	must(t, err)
	defer f.Close()
	r, err := pcapgo.NewReader(f)
	must(t, err)
	frame, info, err := r.ReadPacketData()
	must(t, err)
	if age := time.Since(info.Timestamp); age < 0 || age > time.Minute {
		t.Errorf("frame was captured %v ago", age)
	}
	if len(frame) < 42 || string(frame[6:14]) != "\x02\x00\x00\x00\x00\x01\x08\x06" {
		t.Errorf("frame %x is not Node 0's ARP request", frame)
	}
}

func TestCloseRemovesEverything(t *testing.T) {
	l, err := New()
	must(t, err)
	client, err := l.Client("c1", "")
	must(t, err)
	p, err := client.Start("sleep", "100")
	must(t, err)
	l.Close()
	if p.Running() {
		t.Error("a process outlived its lab")
	}
	if entries, _ := os.ReadDir("/run/netns"); len(entries) != 0 {
		t.Errorf("namespaces left: %v", entries)
	}
}

func TestProcess(t *testing.T) {
	l := ForTest(t)
	h, err := l.Host("h")
	must(t, err)

	t.Run("line", func(t *testing.T) {
		p, err := h.Start("sh", "-c", "echo one; sleep 0.1; echo the two of us; sleep 100")
		must(t, err)
		line, err := p.WaitLine("two", 5*time.Second)
		if err != nil || line != "the two of us" {
			t.Errorf("line %q, %v", line, err)
		}
		must(t, p.Stop())
		if p.Running() {
			t.Error("still running after Stop")
		}
	})
	t.Run("ended without line", func(t *testing.T) {
		p, err := h.Start("sh", "-c", "echo last words; exit 3")
		must(t, err)
		_, err = p.WaitLine("never", 5*time.Second)
		if err == nil || !strings.Contains(err.Error(), "last words") || !strings.Contains(err.Error(), "exit status 3") {
			t.Errorf("error %v, want the output and the status in it", err)
		}
	})
	t.Run("line too late", func(t *testing.T) {
		p, err := h.Start("sleep", "100")
		must(t, err)
		if _, err := p.WaitLine("never", 50*time.Millisecond); err == nil {
			t.Error("no error")
		}
	})
	t.Run("status", func(t *testing.T) {
		status, out, err := h.Run(5*time.Second, "sh", "-c", "echo out; echo err >&2; exit 7")
		if status != 7 || !strings.Contains(out, "out\n") || !strings.Contains(out, "err\n") || err != nil {
			t.Errorf("status %d, output %q, %v", status, out, err)
		}
	})
	t.Run("limit", func(t *testing.T) {
		if _, _, err := h.Run(50*time.Millisecond, "sleep", "100"); err == nil {
			t.Error("no error for a command that does not end")
		}
	})
	t.Run("not found", func(t *testing.T) {
		if status, out, err := h.Run(5*time.Second, "no-such-command"); err == nil && status == 0 {
			t.Errorf("status 0 and no error: %q", out)
		}
	})
}

func TestOffloadAndTC(t *testing.T) {
	l := ForTest(t)
	node0, err := l.Node0("192.168.1.1/28")
	must(t, err)
	must(t, node0.Offload("eth1", false, false))
	out, err := node0.Must("ethtool", "-k", "eth1")
	must(t, err)
	if !strings.Contains(out, "tx-udp-segmentation: off") {
		t.Errorf("segmentation offload still on:\n%s", out)
	}
	must(t, node0.TC("qdisc replace dev eth1 root tbf rate 10mbit burst 20kb limit 30kb"))
	out, err = node0.Must("tc", "qdisc", "show", "dev", "eth1")
	must(t, err)
	if !strings.Contains(out, "tbf") || !strings.Contains(out, "rate 10Mbit") {
		t.Errorf("queue discipline: %s", out)
	}
	if node0.IP("link set nosuch up") == nil || node0.WaitUp("nosuch") == nil {
		t.Error("no error for an interface that does not exist")
	}
}

func TestTap(t *testing.T) {
	l := ForTest(t)
	err := l.Tap("tap1")
	if f, e := os.OpenFile("/dev/net/tun", os.O_RDWR, 0); e != nil {
		if err == nil {
			t.Errorf("Tap worked although /dev/net/tun cannot be opened: %v", e)
		}
		return
	} else {
		f.Close()
	}
	must(t, err)
	out, err := l.Segment.Must("ip", "-o", "link", "show", "master", "br0")
	must(t, err)
	if !strings.Contains(out, "tap1") {
		t.Errorf("tap1 is not on the bridge: %s", out)
	}
}

// TestDeathOfParent kills the outer process of a private world and expects that
// nothing survives in it. The world inside the world stands for a test run.
func TestDeathOfParent(t *testing.T) {
	if os.Getenv("LAB_TEST_SLEEP") != "" {
		select {} // the inner world: runs until it is killed
	}
	cmd := exec.Command(os.Args[0], "-test.run=TestDeathOfParent")
	cmd.Env = append(os.Environ(), "LAB_TEST_SLEEP=1")
	hideMarker(t)
	must(t, cmd.Start())
	child := waitChild(t, cmd.Process.Pid)
	must(t, cmd.Process.Kill())
	cmd.Wait()
	for i := 0; i < 100; i++ {
		if err := unix.Kill(child, 0); err != nil || zombie(child) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("process %d of the private world outlived its parent", child)
}

// hideMarker makes programs started from here believe that they are outside.
func hideMarker(t *testing.T) {
	must(t, os.Rename(marker, marker+".hidden"))
	t.Cleanup(func() { os.Rename(marker+".hidden", marker) })
}

func waitChild(t *testing.T, pid int) int {
	for i := 0; i < 100; i++ {
		b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/task/" + strconv.Itoa(pid) + "/children")
		if child, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			return child
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the outer process did not start the inner one")
	return 0
}

func zombie(pid int) bool {
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, after, _ := strings.Cut(string(b), ") ")
	return strings.HasPrefix(after, "Z")
}
