package transfer

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"
	"unsafe"

	"bootstorm/engine/batch"
	"bootstorm/engine/image"
	"bootstorm/proto"
)

// TestSlotIsSmallAndPointerFree: the collector never looks at the table.
func TestSlotIsSmallAndPointerFree(t *testing.T) {
	if size := unsafe.Sizeof(slot{}); size >= 256 {
		t.Errorf("a slot takes %d bytes", size)
	}
	typ := reflect.TypeFor[slot]()
	for i := range typ.NumField() {
		k := typ.Field(i).Type.Kind()
		if k == reflect.Array {
			k = typ.Field(i).Type.Elem().Kind()
		}
		if k < reflect.Bool || k > reflect.Uint64 {
			t.Errorf("%s is a %v", typ.Field(i).Name, k)
		}
	}
}

func TestIndexAgainstAMap(t *testing.T) {
	const slots = 500
	r := rand.New(rand.NewPCG(1, 2))
	table := make([]slot, slots)
	x := newIndex(slots, 3)
	model := map[uint64]int32{}
	for range 50_000 {
		id := r.Int32N(slots)
		if key := table[id].key; key != 0 {
			x.remove(table, id)
			delete(model, key)
			table[id].key = 0
		} else if key = 1 + r.Uint64N(2000); x.find(table, key) == none {
			table[id].key = key
			x.add(table, id)
			model[key] = id
		}
		ask := 1 + r.Uint64N(2000)
		want, ok := model[ask]
		if !ok {
			want = none
		}
		if got := x.find(table, ask); got != want {
			t.Fatalf("key %d: slot %d, want %d", ask, got, want)
		}
	}
}

// TestFullTable: silence for those who come too late, and a place as soon as
// one is free.
func TestFullTable(t *testing.T) {
	r := newRig(t, Config{Transfers: 3}, image.File{Name: "f", Data: pattern(600)})
	for range 3 {
		r.want("one that fits", r.recv(rrq("f", "octet")), "DATA 1:512")
		r.want("and lives", r.ack(1), "DATA 2:88")
		r.src.SrcPort++
	}
	r.want("one too many", r.recv(rrq("f", "octet")), "")
	if e := r.last(); e.Kind != batch.EventFull || e.Reason != batch.ReasonTransfersFull || r.table.Counters().Full != 1 || r.table.Active() != 3 {
		t.Errorf("event %+v", e)
	}
	r.want("a missing file is still an answer", r.recv(rrq("none", "octet")), "ERROR 1")
	full := r.src
	r.src.SrcPort -= 2
	r.want("one ends", r.ack(2), "")
	r.src = full
	r.want("the retry", r.recv(rrq("f", "octet")), "DATA 1:512")
}

// TestReloadUnderRunningTransfers: each ends with the bytes that it began with,
// and a generation that nobody reads is let go.
func TestReloadUnderRunningTransfers(t *testing.T) {
	table := newTable(t, Config{})
	w := newWire(t, table, 1)
	w.work = 200 * us
	var stations []*station
	files := make([][]byte, 5)
	collected := make(chan int, len(files))
	for g := range files {
		files[g] = bytes.Repeat([]byte{byte('a' + g)}, 160_000+g)
		s := image.Build(uint32(g), "/", []image.File{{Name: "f", Data: files[g]}})
		runtime.AddCleanup(s, func(g int) { collected <- g }, g)
		table.SetFiles(s)
		stations = append(stations, w.add(newPlain("f", s1), 0), w.add(newEdk2("f"), 0))
		w.run(3 * ms) // a few blocks
	}
	if table.Active() != len(stations) {
		t.Fatalf("%d transfers run", table.Active())
	}
	w.run(60 * s1)
	for i, st := range stations {
		if !bytes.Equal(st.content(), files[i/2]) {
			t.Errorf("client %d: %d bytes, want %d of generation %d", i, len(st.content()), len(files[i/2]), i/2)
		}
	}
	runtime.GC()
	for range len(files) - 1 { // all but the current one
		if g := <-collected; g == len(files)-1 {
			t.Error("the current generation was collected")
		}
	}
	runtime.KeepAlive(table)
}

// TestMoreGenerationsThanPlaces: the newest waits until one has ended.
func TestMoreGenerationsThanPlaces(t *testing.T) {
	r := newRig(t, Config{})
	for g := range Generations + 5 {
		r.table.SetFiles(image.Build(uint32(g), "/", []image.File{{Name: "f", Data: pattern(100 + g)}}))
		want := fmt.Sprintf("DATA 1:%d", 100+min(g, Generations-1))
		r.want(fmt.Sprint("generation ", g), r.recv(rrq("f", "octet")), want)
		r.src.Src++
	}
	ask := r.src.Src
	r.src.Src -= Generations + 5 - 7 // the only transfer of generation 7
	r.ack(1)
	r.src.Src = ask
	r.want("a place is free: the newest", r.recv(rrq("f", "octet")), fmt.Sprintf("DATA 1:%d", 100+Generations+4))
}

// TestNothingIsLostWhenTxIsFull drives many windows through a batch that the
// driver empties only partly.
func TestNothingIsLostWhenTxIsFull(t *testing.T) {
	data := pattern(90_000)
	w := newWire(t, newTable(t, Config{}, image.File{Name: "f", Data: data}), 2)
	for i := range 200 {
		w.add(habits[i%len(habits)].make("f"), int64(i))
	}
	full := 0
	for range 100_000 {
		at, st := w.next()
		if d := w.table.Deadline(); d <= at {
			w.now = max(w.now, d)
		} else {
			w.now = max(w.now, at)
			if w.tx.Room() > 0 { // the core stops receiving without room
				w.step(st)
			}
		}
		w.table.Fill(w.now, w.tx, &w.ev)
		blocked := w.table.Ready()
		if blocked && w.tx.Room() > 0 && pending(w.tx) < stock {
			t.Fatal("Fill left room and work")
		}
		full += btoi(blocked)
		if at, _ := w.next(); at > w.now+100*us || w.rng.IntN(40) == 0 || blocked && w.rng.IntN(3) == 0 {
			w.drain()
		}
		if w.over() {
			break
		}
	}
	checkAll(t, w, 2, data)
	if c := w.table.Counters(); full == 0 || c.Resent > c.DataFrames/50 {
		t.Errorf("tx was full %d times, %+v", full, *c)
	}
}

func TestCountersAreAllNamed(t *testing.T) {
	c := Counters{}
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		v.Field(i).SetUint(uint64(i + 1))
	}
	names, i := map[string]bool{}, uint64(0)
	c.Each(func(name string, v uint64) {
		if i++; v != i || names[name] {
			t.Errorf("%s is %d, want %d", name, v, i)
		}
		names[name] = true
	})
	if int(i) != v.NumField() {
		t.Errorf("%d of %d are named", i, v.NumField())
	}
}

// TestNoAllocation runs every kind of datagram and every kind of answer.
func TestNoAllocation(t *testing.T) {
	r := newRig(t, Config{Transfers: 64}, image.File{Name: "f", Data: awkward(20_000, 1)}, image.File{Name: "g", Data: pattern(20_000)}, image.File{Name: "h", Template: true})
	p := r.src
	kinds := [][]byte{rrq("g", "octet", "tsize=0", "blksize=1468", "windowsize=4"), ack(0), ack(2), ack(2), ack(6), ack(3), ack(900),
		errorPacket(8), rrq("g", "octet"), rrq("g", "octet"), ack(1), ack(1), rrq("f", "netascii", "windowsize=16", "blksize=100"), ack(0),
		ack(5), ack(21), ack(21), rrq("none", "octet"), rrq("h", "octet"), rrq("g", "mail"), rrq("g", "octet", "timeout=5", "blksize=900"), ack(0), {1}, {0, 9, 0, 0},
		rrq("g", "octet", "tsize=0"), errorPacket(8), rrq("g", "octet")}
	if n := testing.AllocsPerRun(1, func() {
		for i := range 40_000 {
			p.Payload = kinds[i%len(kinds)]
			p.SrcPort = 1000 + uint16(i/len(kinds)%100) // more clients than slots
			r.table.Receive(r.now, &p, 0, Stranger, r.tx, &r.ev)
			if i%50 == 0 {
				u := p
				u.Src, u.Dst, u.SrcPort, u.DstPort = p.Dst, p.Src, 69, p.SrcPort
				r.table.Unreachable(r.now, &u, &r.ev)
			}
			r.table.Fill(r.now, r.tx, &r.ev)
			r.tx.Sent(r.tx.N)
			r.ev.Reset()
			r.now += 3 * ms
			r.table.Deadline()
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	c := r.table.Counters()
	c.Each(func(name string, v uint64) {
		switch name { // TestNoAllocationInAFlood meets them, and TestNoAllocationForKnownNodes
		case "table_full", "address_full", "drop_tftp_rate", "evicted_for_known", "kept_for_known", "pretended":
			return
		}
		if v == 0 && name != "done" && name != "not_ours" && name != "late_requests" && name != "link_gone" && name != "abandoned" {
			t.Errorf("the gate never met %s", name)
		}
	})
}

// FuzzMachine feeds arbitrary datagrams from a few clients, with time passing
// between them, and holds the table to its invariants.
func FuzzMachine(f *testing.F) {
	join := func(parts ...[]byte) (all []byte) {
		for i, p := range parts {
			all = append(append(all, byte(i%3), byte(i), byte(len(p))), p...)
		}
		return all
	}
	f.Add(join(rrq("f", "octet", "tsize=0", "blksize=1468", "windowsize=4"), ack(0), ack(4), ack(2), errorPacket(0)))
	f.Add(join(rrq("f", "netascii", "windowsize=9"), rrq("f", "netascii"), ack(0), ack(3), ack(3)))
	f.Add(join(rrq("f", "octet", "timeout=1", "blksize=8"), ack(0), ack(1), nil, []byte{0}))
	f.Fuzz(func(t *testing.T, script []byte) {
		r := newRig(t, Config{Transfers: 2}, image.File{Name: "f", Data: awkward(5000, 3)})
		for len(script) >= 3 {
			r.who = Standing(script[0] / 4 % byte(standings))
			r.table.KeepRoom(script[0] > 127)
			who, wait, n := script[0]%4, int64(script[1]), min(int(script[2]), len(script)-3)
			p := r.src
			p.SrcPort, p.Payload = 2000+uint16(who), script[3:3+n]
			script = script[3+n:]
			r.now += wait * wait * 100 * us
			r.table.Receive(r.now, &p, 0, r.who, r.tx, &r.ev)
			r.table.Fill(r.now, r.tx, &r.ev)
			checkSent(t, r)
			checkTable(t, r.table)
		}
	})
}

// checkSent empties tx; every frame must be one that our own parser takes.
func checkSent(t *testing.T, r *rig) {
	t.Helper()
	var p proto.Packet
	for _, m := range r.tx.Messages[:r.tx.N] {
		for i := range m.Frames() {
			if d := proto.ParseFrame(&p, m.AppendFrame(nil, i), true); d != proto.OK || len(p.Payload) < 4 || len(p.Payload) > 1472 {
				t.Fatalf("we sent %v, %d bytes", d, len(p.Payload))
			}
		}
	}
	r.tx.Sent(r.tx.N)
	r.ev.Reset()
}

func checkTable(t *testing.T, table *Table) {
	t.Helper()
	active := 0
	for id := range table.slots {
		s := &table.slots[id]
		if s.key == 0 {
			continue
		}
		active++
		if s.acked < 0 || s.acked > s.next || s.next > s.limit && s.limit != 0 || s.next > s.high || s.high > s.total || s.acked >= s.total {
			t.Fatalf("slot %+v", *s)
		}
		if s.high-s.acked > 4*int64(max(s.window, 8)) || !table.timers.Armed(int32(id)) {
			t.Fatalf("unbounded or without timer: %+v", *s)
		}
	}
	if active != table.Active() || table.files.list[table.files.current].users > int32(active) {
		t.Fatalf("%d slots in use, %d active", active, table.Active())
	}
}
