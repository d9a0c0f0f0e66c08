package engine

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	seen "go.uber.org/zap/zaptest/observer"

	"bootstorm/engine/feed"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
	"bootstorm/proto/tftp"
)

// ordered is a server that runs without a manager: the test is the manager.
func ordered(t *testing.T, dir string, workers int) (*server, *fakeSocket, *seen.ObservedLogs) {
	t.Helper()
	root := filepath.Join(dir, "root")
	for name, text := range map[string]string{"ipxe.efi": "program", "rescue.ipxe": "#!ipxe\nexit\n", "empty": "", strings.Repeat("n", 65): "x"} {
		os.MkdirAll(root, 0o755)
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	conf := filepath.Join(dir, "dhcpd.conf")
	text := strings.Replace(guideText, "52:54:00:12:34:01;", "52:54:00:12:34:01; hardware ethernet 52:54:00:12:34:11;", 1)
	text = strings.Replace(text, `if option arch = 00:07 { filename "ipxe.efi"; }`, `filename "ipxe.efi";`, 1)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	n := newNetwork()
	zcore, logs := seen.New(zap.DebugLevel)
	s := newServer(Config{Interfaces: []string{"eth1"}, File: conf, Root: root, LeaseFile: filepath.Join(dir, "dhcpd.leases"), Workers: workers,
		Log: zap.New(zcore), Version: "test", world: n.world()})
	if err := s.prepare(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s, n.sock(), logs
}

// ipxeFrame is a DISCOVER of iPXE.
func ipxeFrame(mac proto.MAC) []byte {
	f := dhcpFrame(mac, dhcp.Discover, 0, 0)
	end := bytes.LastIndexByte(f, dhcp.OptEnd) // padding follows
	payload := append(f[proto.HeadersLen:end:end], dhcp.OptUserClass, 4, 'i', 'P', 'X', 'E', dhcp.OptEnd)
	head := [proto.HeadersLen]byte{}
	proto.PutHeaders(&head, mac, proto.Broadcast, 0, proto.Limited, proto.PortBOOTPClient, proto.PortBOOTPServer, 0, len(payload))
	proto.FinishUDP(&head, payload, nil)
	return append(head[:], payload...)
}

// offered is the boot file that the node's iPXE is offered.
func offered(t *testing.T, k *fakeSocket, mac proto.MAC) string {
	t.Helper()
	k.deliver(ipxeFrame(mac))
	file := dhcp.View(k.reply(t)).File()
	return strings.TrimRight(string(file[:]), "\x00")
}

// fetchFile reads a file of one block.
func fetchFile(t *testing.T, k *fakeSocket, mac proto.MAC, a proto.Addr, name string) {
	t.Helper()
	for _, payload := range [][]byte{tftp.AppendRequest(nil, tftp.OpRRQ, name, "octet"), {0, 4, 0, 1}} {
		f := append(make([]byte, proto.HeadersLen), payload...)
		head := (*[proto.HeadersLen]byte)(f)
		proto.PutHeaders(head, mac, proto.MAC{2, 0, 0, 0, 0, 1}, a, addr("192.168.1.1"), 2000, proto.PortTFTP, 1, len(payload))
		proto.FinishUDP(head, payload, nil)
		k.deliver(f)
		if payload[1] == 4 {
			return
		}
		for end := time.Now().Add(20 * time.Second); k.popFrom(proto.PortTFTP) == nil; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("no DATA")
			}
		}
	}
}

// An order is kept over restarts, carried out at iPXE's stage, used up when the
// file has arrived, and forgotten then, on the disk too.
func TestOrderIsCarriedOutOnceAndOutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	s, _, _ := ordered(t, dir, 1)
	text, err := s.orderBoot(feed.Request{Node: "NODE_1", File: "/RESCUE.ipxe", Once: true})
	if err != nil || !strings.Contains(text, "node_1 loads rescue.ipxe at its next boot, once") {
		t.Fatalf("%q, %v", text, err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.close()

	s, k, logs := ordered(t, dir, 1)
	defer func() { s.close() }()
	if len(s.orders) != 1 || len(s.orders[0].MACs) != 2 || !s.orders[0].Script {
		t.Fatalf("after the restart: %+v", s.orders)
	}
	if got := offered(t, k, nodeMAC(2)); got != "ipxe.efi" {
		t.Errorf("another node is offered %q", got)
	}
	for _, mac := range []proto.MAC{nodeMAC(1), nodeMAC(0x11)} { // either link of the machine
		if got := offered(t, k, mac); got != "rescue.ipxe" {
			t.Errorf("%v is offered %q", mac, got)
		}
	}
	s.settleOrders(s.onAll)
	if len(s.orders) != 1 {
		t.Fatal("an offer used the order up")
	}
	fetchFile(t, k, nodeMAC(1), k.lease(t, nodeMAC(1)), "rescue.ipxe")
	for end := time.Now().Add(20 * time.Second); len(s.orders) > 0 && time.Now().Before(end); time.Sleep(time.Millisecond) {
		s.settleOrders(s.onAll)
	}
	if got := offered(t, k, nodeMAC(1)); got != "ipxe.efi" || len(s.orders) != 0 {
		t.Errorf("offered %q after it had its file; %+v", got, s.orders)
	}
	if logs.FilterMessageSnippet("node_1 has loaded rescue.ipxe, as ordered").Len() != 1 {
		t.Error("the log does not say that the order was carried out")
	}
	if text, err := s.listOrders(); err != nil || !strings.Contains(text, `"file":"rescue.ipxe"`) || !strings.Contains(text, `"taken":"2`) {
		t.Errorf("the operator does not see that it was taken: %s, %v", text, err)
	}
	if list, taken, err := ReadOrders(OrdersFile(s.LeaseFile)); err != nil || len(list) != 0 || len(taken) != 1 {
		t.Errorf("on the disk: %+v, %+v, %v", list, taken, err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.close()

	// Another restart: it is still known who has taken what, and nobody is given it again.
	s, k, _ = ordered(t, dir, 1)
	if got := offered(t, k, nodeMAC(1)); got != "ipxe.efi" || len(s.orders) != 0 {
		t.Errorf("after it had its file and a restart: offered %q, %+v", got, s.orders)
	}
	if _, err := s.orderBoot(feed.Request{Node: "node_1", File: "ipxe.efi", Once: true}); err != nil || s.orders[0].Seq != 2 {
		t.Errorf("the next order: %v, %+v", err, s.orders)
	}
	if text, err := s.listOrders(); err != nil || strings.Count(text, `"taken":"2`) != 1 || !strings.Contains(text, "rescue.ipxe") {
		t.Errorf("after a restart: %s, %v", text, err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
}

// An order can be taken back, replaced, and is refused with a reason where it
// makes no sense.
func TestOrdersThatAreChangedOrRefused(t *testing.T) {
	s, k, _ := ordered(t, t.TempDir(), 2)
	defer s.close()
	a := k.lease(t, nodeMAC(3))
	for _, c := range []struct {
		node, file string
		once       bool
		words      string
	}{
		{"node_9", "rescue.ipxe", true, `no node is known as "node_9"`},
		{"", "rescue.ipxe", true, "no node is known"},
		{"node_1", "rescue.ipx", true, `did you mean "rescue.ipxe"?`},
		{"node_1", "../etc/passwd", true, "not among the boot files"},
		{"node_1", "empty", true, "is empty"},
		{"node_1", strings.Repeat("n", 65), true, "longer than 64 bytes"},
		{"node_1", "rescue.ipxe", false, "for one boot only"},
	} {
		if _, err := s.orderBoot(feed.Request{Node: c.node, File: c.file, Once: c.once}); err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, node := range []string{"52-54-00-12-34-03", a.String()} { // the same machine: the second order replaces the first
		if _, err := s.orderBoot(feed.Request{Node: node, File: "ipxe.efi", Once: true}); err != nil {
			t.Error(err)
		}
	}
	if text, err := s.listOrders(); err != nil || strings.Count(text, "ipxe.efi") != 1 || !strings.Contains(text, "52:54:00:12:34:03") {
		t.Errorf("%s, %v", text, err)
	}
	if _, err := s.cancelBoot("52:54:00:12:34:03"); err != nil || len(s.orders) != 0 {
		t.Errorf("%v, %+v", err, s.orders)
	}
	if _, err := s.cancelBoot("node_1"); err == nil || !strings.Contains(err.Error(), "node_1 is not marked") {
		t.Errorf("%v", err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
}

// A damaged file of orders keeps nobody from starting.
func TestDamagedOrdersAreReported(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dhcpd.leases.once"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, _, logs := ordered(t, dir, 1)
	defer s.close()
	if logs.FilterMessageSnippet("is damaged").Len() != 1 {
		t.Error("the log does not say that the file is damaged")
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
}
