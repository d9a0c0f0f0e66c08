package rehearse

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"bootstorm/engine/feed"
)

// Engine answers requests as an engine would, and keeps what it was told to do.
type Engine struct {
	Hosts map[string]string // names of nodes by MAC address; may be nil

	mu     sync.Mutex
	done   []string // "boot NODE FILE once=BOOL", "reload"
	orders []feed.Order
}

// Explain implements view.Requests.
func (*Engine) Explain(mac string) (string, error) {
	return fmt.Sprintf(`DISCOVER of %s, architecture 7 (UEFI, 64 bits), uefi

OFFER
      address (yiaddr)        10.20.0.42       its own, leased until 14:02:11
      server (siaddr)         10.20.0.1        /etc/dhcp/dhcpd.conf:68: next-server 10.20.0.1;
      boot file (file)        "ipxe.efi"       /etc/dhcp/dhcpd.conf:74: filename "ipxe.efi";
  53  dhcp-message-type       OFFER            the server itself
  54  dhcp-server-identifier  10.20.0.1        the server itself
  51  dhcp-lease-time         7200             /etc/dhcp/dhcpd.conf:1: default-lease-time 7200;

boot file "ipxe.efi" is there: 1093632 bytes
`, mac), nil
}

// Boot implements view.Requests.
func (e *Engine) Boot(node, file string, once bool) error {
	if file == "missing.ipxe" {
		return errors.New("missing.ipxe is not below /srv/tftp: put it there, or correct the name")
	}
	e.note(fmt.Sprintf("boot %s %s once=%v", node, file, once))
	e.mu.Lock()
	defer e.mu.Unlock()
	e.orders = slices.DeleteFunc(e.orders, func(o feed.Order) bool { return o.MACs[0] == node || o.Host == node })
	if file != "" {
		e.orders = append(e.orders, feed.Order{Host: e.Hosts[node], MACs: []string{node}, File: file, Since: time.Now(), Script: strings.HasSuffix(file, ".ipxe")})
	}
	return nil
}

// Marked implements view.Requests.
func (e *Engine) Marked() ([]feed.Order, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.orders), nil
}

// Reload implements view.Requests.
func (e *Engine) Reload() error {
	e.note("reload")
	return nil
}

// Capture implements view.Requests: an empty capture, which is a section header
// and no more (pcapng, section 4.1).
func (*Engine) Capture(_ string, w io.Writer) error {
	_, err := w.Write([]byte{0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 28, 0, 0, 0})
	return err
}

// Orders lists what was done so far.
func (e *Engine) Orders() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.done...)
}

func (e *Engine) note(s string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.done = append(e.done, s)
}

// Take has a node load the file that was ordered for it.
func (e *Engine) Take(node string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.orders {
		if e.orders[i].MACs[0] == node {
			e.orders[i].Taken = time.Now()
		}
	}
}
