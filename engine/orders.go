package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bootstorm/engine/core"
	"bootstorm/engine/feed"
	"bootstorm/engine/image"
	"bootstorm/proto"
	"bootstorm/proto/dhcp"
)

// Orders: nodes that are to load another file than the configuration says, the
// next time that they boot. They are kept in a file beside the leases until the
// node has its file, so that neither a restart of the node in the middle nor one
// of the server loses them. The last that nodes have taken stay there, marked as
// such, so that "has it taken the rescue system?" has an answer after a restart, too.

// OrdersFile is where the orders are kept of the server with this lease file.
func OrdersFile(leases string) string { return leases + ".once" }

// ReadOrders reads the orders of a file, none if there is no such file: those that
// are to be carried out, and the last that nodes have taken, the newest last.
func ReadOrders(file string) (open, taken []feed.Order, err error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var list []feed.Order
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, nil, fmt.Errorf("%s is damaged: %w; remove it, and mark the nodes again with \"bootstorm boot\"", file, err)
	}
	for _, o := range list {
		if o.Taken.IsZero() {
			open = append(open, o)
		} else {
			taken = append(taken, o)
		}
	}
	return open, lastOf(taken), nil
}

// lastOf keeps the last orders that are remembered of those that were taken.
func lastOf(taken []feed.Order) []feed.Order { return taken[max(0, len(taken)-fulfilledMost):] }

// writeOrders replaces the file, so that either the old or the new list is there
// after a crash.
func writeOrders(file string, list []feed.Order) error {
	b, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	err = errors.Join(err, f.Chmod(0o644)) // for "bootstorm explain" of anybody, as the leases are
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Marks are what the core needs to know of orders. Those of which the hardware
// address cannot be read are left out.
func Marks(orders []feed.Order) (list []core.Mark) {
	for i := range orders {
		o := &orders[i]
		for _, mac := range o.MACs {
			hw, ok := parseHW(mac)
			if !ok {
				continue
			}
			m := core.Mark{HW: hw, Seq: o.Seq, Script: o.Script}
			m.Len = uint8(copy(m.Name[:], o.File))
			list = append(list, m)
		}
	}
	return list
}

// parseHW reads a hardware address.
func parseHW(s string) (hw dhcp.HW, ok bool) {
	mac, err := net.ParseMAC(s)
	if err != nil || len(mac) > len(hw.Addr) {
		return hw, false
	}
	hw.Type, hw.Len = 1, uint8(copy(hw.Addr[:], mac))
	return hw, true
}

// recallOrders reads the orders of the last run and tells the workers.
func (s *server) recallOrders() {
	list, taken, err := ReadOrders(OrdersFile(s.LeaseFile))
	if err != nil {
		s.log.Warn("no node is marked for its next boot: " + err.Error())
		return
	}
	s.orders, s.fulfilled = list, taken
	for i := range taken {
		s.lastOrder = max(s.lastOrder, taken[i].Seq)
	}
	for i := range list {
		s.lastOrder = max(s.lastOrder, list[i].Seq)
		s.log.Info(list[i].Name() + " loads " + list[i].File + " at its next boot, as ordered before")
	}
	for _, w := range s.workers { // they do not run yet
		w.core.SetMarks(Marks(list))
	}
}

// orderBoot marks a node.
func (s *server) orderBoot(r feed.Request) (string, error) {
	if !r.Once {
		return "", errors.New("a node can be marked for one boot only; what it is to load always belongs into the configuration, as \"filename\" in its host declaration")
	}
	o, err := s.resolve(r.Node)
	if err != nil {
		return "", err
	}
	f, err := s.bootable(r.File)
	if err != nil {
		return "", err
	}
	list := slices.Clone(s.orders)
	list = slices.DeleteFunc(list, func(x feed.Order) bool { return sameMachine(&x, &o) })
	s.lastOrder++
	o.Seq, o.File, o.Script, o.Since = s.lastOrder, f.Name, isScript(f), time.Now().Round(time.Second)
	list = append(list, o)
	if n := len(Marks(list)); n > core.MarksMost {
		return "", fmt.Errorf("%d hardware addresses are marked already, and no more than that can be; take some back with \"bootstorm boot NODE --cancel\"", core.MarksMost)
	}
	if err := s.setOrders(list); err != nil {
		return "", err
	}
	text := o.Name() + " loads " + o.File + " at its next boot, once"
	s.log.Info(text)
	return text, nil
}

// cancelBoot takes the order of a node back.
func (s *server) cancelBoot(node string) (string, error) {
	o, err := s.resolve(node)
	if err != nil {
		o = feed.Order{Host: node, MACs: []string{node}} // one that the configuration has forgotten
	}
	list := slices.DeleteFunc(slices.Clone(s.orders), func(x feed.Order) bool {
		return sameMachine(&x, &o) || x.Host != "" && strings.EqualFold(x.Host, o.Host)
	})
	if len(list) == len(s.orders) {
		return "", errors.New(o.Name() + " is not marked; \"bootstorm boot\" lists the nodes that are")
	}
	if err := s.setOrders(list); err != nil {
		return "", err
	}
	text := o.Name() + " boots as configured again"
	s.log.Info(text)
	return text, nil
}

// listOrders are the nodes that are marked, and those that were until they had their
// file, as JSON.
func (s *server) listOrders() (string, error) {
	b, err := json.Marshal(slices.Concat([]feed.Order{}, s.orders, s.fulfilled))
	return string(b), err
}

// setOrders puts orders into force: first on the disk, then with the workers.
func (s *server) setOrders(list []feed.Order) error {
	if err := writeOrders(OrdersFile(s.LeaseFile), slices.Concat([]feed.Order{}, list, s.fulfilled)); err != nil {
		return fmt.Errorf("nothing was changed: the orders cannot be kept beside the leases: %w", err)
	}
	s.orders = list
	marks := Marks(list)
	s.onAll(func(w *worker) { w.core.SetMarks(marks) })
	return nil
}

// settleOrders looks which orders the nodes have fulfilled. each runs a function
// on every worker.
func (s *server) settleOrders(each func(func(w *worker))) {
	if len(s.orders) == 0 {
		return
	}
	done := map[uint32]bool{}
	addrs := map[dhcp.HW]proto.Addr{}
	each(func(w *worker) {
		w.core.EachMark(func(m *core.Mark) {
			if m.Done {
				done[m.Seq] = true
			}
			if m.Addr != 0 {
				addrs[m.HW] = m.Addr
			}
		})
	})
	left := slices.DeleteFunc(slices.Clone(s.orders), func(o feed.Order) bool { return done[o.Seq] })
	for i := range s.orders {
		if o := &s.orders[i]; done[o.Seq] {
			s.fulfill(*o)
			s.log.Info(o.Name() + " has loaded " + o.File + ", as ordered; from now on it boots as configured")
		}
	}
	if len(left) < len(s.orders) {
		if err := writeOrders(OrdersFile(s.LeaseFile), slices.Concat([]feed.Order{}, left, s.fulfilled)); err != nil {
			s.log.Error(fmt.Sprintf("orders that are fulfilled stay in %s, and would be carried out again after a restart: %v", OrdersFile(s.LeaseFile), err))
		}
		s.orders = left
	}
	if len(done) == 0 && len(s.workers) == 1 {
		return
	}
	// The worker that leases addresses knows whose transfers the others see.
	marks := Marks(left)
	for i := range marks {
		marks[i].Addr = addrs[marks[i].HW]
	}
	each(func(w *worker) { w.core.SetMarks(marks) })
}

// fulfilledMost is how many orders are remembered that were fulfilled.
const fulfilledMost = 20

// fulfill remembers an order that a node has taken.
func (s *server) fulfill(o feed.Order) {
	o.Taken = time.Now().Round(time.Second)
	s.fulfilled = lastOf(append(s.fulfilled, o))
}

// resolve finds the machine that somebody means: by hardware address, host
// declaration or leased address. All links of a declared host are meant.
func (s *server) resolve(who string) (feed.Order, error) {
	who = strings.TrimSpace(who)
	if hw, ok := parseHW(who); ok {
		return s.machine(hw), nil
	}
	for hw, host := range s.setup.Hosts {
		if strings.EqualFold(host, who) {
			return s.machine(hw), nil
		}
	}
	for _, l := range s.journal.Leases() {
		if l.Addr.String() == who && l.HW.Len > 0 {
			return s.machine(l.HW), nil
		}
	}
	return feed.Order{}, fmt.Errorf("no node is known as %q: give its MAC address, the name of its host declaration, or an address that it was leased", who)
}

// machine is the machine that has a hardware address.
func (s *server) machine(hw dhcp.HW) feed.Order {
	hw.Type = 1
	o := feed.Order{Host: s.setup.Hosts[hw], MACs: []string{hwText(hw)}}
	if o.Host == "" {
		return o
	}
	for other, host := range s.setup.Hosts {
		if host == o.Host && other != hw {
			o.MACs = append(o.MACs, hwText(other))
		}
	}
	slices.Sort(o.MACs[1:])
	return o
}

// sameMachine tells whether two orders are about one machine.
func sameMachine(a, b *feed.Order) bool {
	return slices.ContainsFunc(a.MACs, func(mac string) bool { return slices.Contains(b.MACs, mac) })
}

// bootable finds a boot file that a node can be told to load.
func (s *server) bootable(name string) (*image.File, error) {
	i, ok := s.setup.Files.Lookup([]byte(strings.TrimSpace(name)))
	if !ok {
		text := fmt.Sprintf("%q is not among the boot files in %s", name, s.setup.Files.Root)
		if near := nearest(s.setup.Files, name); near != "" {
			text += fmt.Sprintf("; did you mean %q?", near)
		}
		return nil, errors.New(text)
	}
	f := s.setup.Files.File(i)
	if len(f.Name) > core.MarkName {
		return nil, fmt.Errorf("the name %q is longer than %d bytes; give the file a shorter one", f.Name, core.MarkName)
	}
	if len(f.Data) == 0 {
		return nil, fmt.Errorf("the boot file %q is empty", f.Name)
	}
	return f, nil
}

// isScript tells whether a file is for iPXE to execute rather than for the
// firmware.
func isScript(f *image.File) bool {
	return bytes.HasPrefix(f.Data, []byte("#!ipxe")) || strings.EqualFold(path.Ext(f.Name), ".ipxe")
}
