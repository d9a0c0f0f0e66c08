package lease

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"sync"
)

// memFS is a file system in memory that remembers every operation in order, so
// that tests can stop the world after any of them and ask what a crash would
// leave. It fails on demand.
type memFS struct {
	mu    sync.Mutex
	names map[string]*inode
	trace []op
	fail  func(kind opKind) error // nil: nothing fails
	delay func(o op)
}

// inode is the content of a file; names come and go.
type inode struct {
	id   int
	data []byte
}

type opKind uint8

const (
	opCreate opKind = iota
	opWrite
	opSync
	opTruncate
	opRename
	opRemove
	opSyncDir
	opLink
	opOpen
	opAck // not an operation: all records up to size were published as durable
)

// op is one remembered operation.
type op struct {
	kind     opKind
	inode    int
	from, to string
	data     []byte
	size     int64
}

func newMemFS() *memFS { return &memFS{names: map[string]*inode{}} }

// do runs one operation under the lock, or fails it.
func (m *memFS) do(o op, change func() error) error {
	if m.delay != nil {
		m.delay(o)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(o.kind); err != nil {
			return err
		}
	}
	if err := change(); err != nil {
		return err
	}
	m.trace = append(m.trace, o)
	return nil
}

func (m *memFS) ack(seq uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trace = append(m.trace, op{kind: opAck, size: int64(seq)})
}

func (m *memFS) setFail(f func(opKind) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = f
}

func (m *memFS) ReadFile(name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n, ok := m.names[name]; ok {
		return append([]byte(nil), n.data...), nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func (m *memFS) Open(name string, create bool) (File, error) {
	f := &memFile{fs: m}
	if !create {
		return f, m.do(op{kind: opOpen, from: name}, func() error {
			f.node = m.names[name]
			return nil
		})
	}
	m.mu.Lock()
	id := len(m.trace) + 1
	m.mu.Unlock()
	f.node = &inode{id: id}
	return f, m.do(op{kind: opCreate, inode: id, from: name}, func() error {
		m.names[name] = f.node
		return nil
	})
}

func (m *memFS) Rename(from, to string) error {
	return m.do(op{kind: opRename, from: from, to: to}, func() error {
		n, ok := m.names[from]
		if !ok {
			return fs.ErrNotExist
		}
		delete(m.names, from)
		m.names[to] = n
		return nil
	})
}

func (m *memFS) Link(from, to string) error {
	return m.do(op{kind: opLink, from: from, to: to}, func() error {
		m.names[to] = m.names[from]
		return nil
	})
}

func (m *memFS) Remove(name string) error {
	return m.do(op{kind: opRemove, from: name}, func() error {
		delete(m.names, name)
		return nil
	})
}

func (m *memFS) SyncDir(string) error {
	return m.do(op{kind: opSyncDir}, func() error { return nil })
}

func (m *memFS) MkdirAll(string) error          { return nil }
func (m *memFS) Lock(name string) (Lock, error) { return memLock{io.NopCloser(nil)}, nil }

// memLock is a lock that nobody else wants.
type memLock struct{ io.Closer }

func (memLock) Keep() (bool, error) { return false, nil }

// memFile is an open file.
type memFile struct {
	fs   *memFS
	node *inode
}

func (f *memFile) Close() error { return nil }

func (f *memFile) Write(b []byte) (int, error) {
	data := append([]byte(nil), b...)
	err := f.fs.do(op{kind: opWrite, inode: f.node.id, data: data}, func() error {
		f.node.data = append(f.node.data, data...)
		return nil
	})
	var short shortWrite
	if errors.As(err, &short) { // part of it got there
		f.fs.mu.Lock()
		f.node.data = append(f.node.data, data[:len(data)/2]...)
		f.fs.mu.Unlock()
		return len(data) / 2, err
	}
	return len(b), err
}

func (f *memFile) Sync() error {
	return f.fs.do(op{kind: opSync, inode: f.node.id}, func() error { return nil })
}

func (f *memFile) Truncate(size int64) error {
	return f.fs.do(op{kind: opTruncate, inode: f.node.id, size: size}, func() error {
		f.node.data = f.node.data[:size]
		return nil
	})
}

func (f *memFile) Holds(name string, size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	switch n, ok := f.fs.names[name]; {
	case !ok:
		return errGone
	case n != f.node:
		return errReplaced
	case int64(len(n.data)) != size:
		return errResized
	}
	return nil
}

// shortWrite is an error of a write that got half way.
type shortWrite struct{ error }

// crash says what of the unsynced state survives.
type crash struct {
	name              string
	data, names, torn bool
}

// crashes are the ways a machine may stop: everything or nothing of what was
// not synced is there, names and contents independently, and the last write may
// have got half way with the rest of it zeroes.
var crashes = []crash{
	{"all there", true, true, false},
	{"only what was synced", false, false, false},
	{"new names, old contents", false, true, false},
	{"old names, new contents", true, false, false},
	{"last write torn", true, true, true},
}

// after rebuilds the file system as a crash after the first k operations may
// leave it.
func (m *memFS) after(k int, c crash) *memFS {
	nodes := map[int]*inode{}
	synced := map[int][]byte{}
	names, durable := map[string]*inode{}, map[string]*inode{}
	for i, o := range m.trace[:k] {
		n := nodes[o.inode]
		switch o.kind {
		case opCreate:
			n = &inode{id: o.inode}
			nodes[o.inode], names[o.from] = n, n
		case opWrite:
			data := o.data
			if c.torn && i == lastWrite(m.trace[:k]) {
				data = append(append([]byte(nil), data[:len(data)/2]...), make([]byte, 5)...)
			}
			n.data = append(n.data, data...)
		case opTruncate:
			n.data = n.data[:o.size]
		case opSync:
			synced[o.inode] = append([]byte(nil), n.data...)
		case opRename:
			names[o.to] = names[o.from]
			delete(names, o.from)
		case opLink:
			names[o.to] = names[o.from]
		case opRemove:
			delete(names, o.from)
		case opSyncDir:
			durable = maps.Clone(names)
		}
	}
	if !c.names {
		names = durable
	}
	out := newMemFS()
	for name, n := range names {
		kept := &inode{data: synced[n.id]}
		if c.data {
			kept.data = n.data
		}
		out.names[name] = kept
	}
	return out
}

// lastWrite is the index of the last write if nothing was synced after it, else
// -1: what was synced is not torn.
func lastWrite(trace []op) int {
	for i := len(trace) - 1; i >= 0; i-- {
		switch trace[i].kind {
		case opWrite:
			return i
		case opSync:
			return -1
		}
	}
	return -1
}
