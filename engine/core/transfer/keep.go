package transfer

import (
	"bootstorm/engine/batch"
	"bootstorm/engine/image"
	"bootstorm/proto"
	"bootstorm/proto/tftp"
)

// Kept is a transfer in the middle of its file, as a server that ends hands it to
// the one that follows: firmware gives a file up rather than ask for it again.
type Kept struct {
	Addr    proto.Addr // the client's
	Port    uint16
	MAC     proto.MAC
	Who     Standing   // what was known of the client
	Server  proto.Addr // the address that the client asked
	Link    uint8      // place in the list of links
	Request uint64     // hash of the request

	Name  string      // of the file
	Stamp image.Stamp // what its bytes were read from
	Size  int64       // bytes

	Acked   int64 // blocks that the client has without a gap
	High    int64 // blocks ever sent
	Elapsed int64 // since the request came, ns
	Repeats uint32
	Blksize uint16
	Window  uint16
	Timeout uint8 // negotiated, seconds; 0: none
	Habit   uint8
	Part    uint8 // of the progress reports, the next
}

// Keep lists the transfers that another server can go on with. Those of which no
// block was sent are left out, since their clients repeat the request, and so are
// those of bytes that only this server has (netascii, files made for one node,
// built-in files) and an iPXE at the block that it must not get twice. Cold: it
// allocates.
func (t *Table) Keep(now int64) (list []Kept) {
	for i := range t.slots {
		s := &t.slots[i]
		if s.key == 0 || s.file < 0 || s.flags&(flagOack|flagSendOack|flagNetascii) != 0 || s.high == 0 || s.fragile() {
			continue
		}
		f := t.fileOf(s)
		if f.Stamp == (image.Stamp{}) {
			continue
		}
		list = append(list, Kept{Addr: s.addr(), Port: s.port(), MAC: s.mac, Who: t.guests.places[i].standing, Server: s.server, Link: s.link, Request: s.request,
			Name: f.Name, Stamp: f.Stamp, Size: s.size, Acked: s.acked, High: s.high, Elapsed: now - s.started, Repeats: s.repeats,
			Blksize: s.blksize, Window: s.window, Timeout: s.timeout, Habit: uint8(s.habit), Part: s.part})
	}
	return list
}

// Resume goes on with a transfer that another server has kept, if its file is the
// same: the window behind what the client has acknowledged is sent again. It tells
// whether it does. Cold, before the first frame or between batches.
func (t *Table) Resume(now int64, k *Kept) bool {
	g := t.files.current
	file, ok := t.files.list[g].set.Lookup([]byte(k.Name))
	if !ok || !t.fits(k) || t.index.find(t.slots, keyOf(k.Addr, k.Port)) != none {
		return false
	}
	f := t.files.list[g].set.File(file)
	if f.Template || f.Stamp != k.Stamp || int64(len(f.Data)) != k.Size || !t.makeRoom(k.Addr, k.Who) {
		return false
	}
	id := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	t.files.list[g].users++
	s := &t.slots[id]
	*s = slot{
		key: keyOf(k.Addr, k.Port), request: k.Request, mac: k.MAC, link: k.Link, server: k.Server, generation: g, file: file,
		heard: now, started: now - k.Elapsed, sentAt: now, recover: -1, blksize: k.Blksize, window: k.Window, timeout: k.Timeout,
		rto: firstRTO, habit: habit(k.Habit), repeats: k.Repeats, part: k.Part,
		size: k.Size, total: k.Size/int64(k.Blksize) + 1, acked: k.Acked, next: k.High, high: k.High,
	}
	t.index.add(t.slots, id)
	t.guests.enter(id, k.Addr, k.Who)
	t.again(now, id, s.acked)
	return true
}

// fits tells whether the numbers of a kept transfer are such as a transfer of this
// table can have.
func (t *Table) fits(k *Kept) bool {
	return k.Addr != 0 && k.Addr != proto.Limited && k.Port != 0 && t.owns(k.Link, k.Server) &&
		k.Blksize >= tftp.MinBlksize && int64(k.Blksize) <= t.links[k.Link].block && k.Window >= 1 && k.Window <= batch.MaxSegments &&
		k.Size >= 0 && k.Acked >= 0 && k.Acked <= k.Size/int64(k.Blksize) && k.High >= max(k.Acked, 1) && k.High <= min(k.Acked+int64(k.Window), k.Size/int64(k.Blksize)+1) &&
		k.Elapsed >= 0 && k.Habit <= uint8(habitIPXE) && k.Who < standings
}
