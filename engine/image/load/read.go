package load

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"bootstorm/engine/fill"
	"bootstorm/engine/image"
	"bootstorm/engine/reason"
)

// A file that is being written is read again, so often and after such a pause.
const (
	attempts = 4
	pause    = 50 * time.Millisecond
)

// fresh is how old a change must be before a stamp is trusted to tell the next
// one apart: the kernel's file times step by some milliseconds.
const fresh = time.Second

// errChanging says that a file was written to while it was read.
var errChanging = errors.New("is being written to")

// reader collects the files of a generation.
type reader struct {
	files    []image.File
	problems []Problem
	left     int64                  // bytes that may still be read
	limit    int64                  // of so many
	shared   map[image.Stamp][]byte // what has been read, now or for the previous generation
	counted  map[image.Stamp]bool   // what is already part of this generation
	root     *os.Root               // through which files of the root are opened; nil for others
}

func newReader(limit int64, previous *image.Set) *reader {
	r := &reader{left: limit, limit: limit, shared: map[image.Stamp][]byte{}, counted: map[image.Stamp]bool{}}
	if previous == nil {
		return r
	}
	for i := range int32(previous.Len()) {
		if f := previous.File(i); f.Stamp != (image.Stamp{}) {
			r.shared[f.Stamp] = f.Data
		}
	}
	return r
}

// add reads one file of the root, or names it.
func (r *reader) add(f found) {
	data, stamp, ok := r.load(f)
	if !ok {
		return
	}
	name, template := fromTemplate(f.name)
	if template && !r.fillable(f, name, data) {
		return
	}
	r.files = append(r.files, image.File{Name: name, Data: data, Stamp: stamp, Template: template})
}

// fromTemplate is the name under which a file is served, and whether it is a
// template.
func fromTemplate(name string) (served string, template bool) {
	served, template = strings.CutSuffix(name, fill.Suffix)
	if base := served[strings.LastIndexByte(served, '/')+1:]; !template || base == "" {
		return name, false
	}
	return served, true
}

// fillable tells whether a template can be used; one that cannot is named, and who
// asks for it is told at once that there is no such file.
func (r *reader) fillable(f found, name string, data []byte) bool {
	// In the order of names, the plain file has come before.
	if slices.ContainsFunc(r.files, func(o image.File) bool { return o.Name == name }) {
		r.problems = append(r.problems, Problem{f.path, "is not used: " + name + " lies beside it and is served as it is", "remove one of them"}.printable())
		return false
	}
	if _, err := fill.Parse(f.path, data); err != nil {
		r.problems = append(r.problems, Problem{f.path, "cannot be filled in, so that " + name + " is not served: " + err.Error(),
			"correct the template; it is read again when it changes"}.printable())
		return false
	}
	return true
}

// fallback adds a file that the root lacks.
func (r *reader) fallback(f *File) {
	if f.Paths == nil {
		r.files = append(r.files, image.File{Name: f.Name, Data: f.Data})
		return
	}
	for _, path := range f.Paths {
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			continue
		}
		info, err := os.Stat(real)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		r.add(found{name: f.Name, path: real, stamp: stampOf(info)})
		return
	}
	r.problems = append(r.problems, Problem{f.Name, "is neither in the root nor at " + strings.Join(f.Paths, ", "), f.Remedy}.printable())
}

// load returns the bytes of a file. stamp is what it is like; the stamp that is
// returned is zero if it cannot tell a later change.
func (r *reader) load(f found) (data []byte, _ image.Stamp, ok bool) {
	path, stamp := f.path, f.stamp
	if !r.counted[stamp] {
		if stamp.Size > r.left {
			r.problems = append(r.problems, Problem{path,
				fmt.Sprintf("does not fit: %d bytes, and of %d allowed in memory %d are left", stamp.Size, r.limit, r.left),
				"remove files from the root, or raise the limit"}.printable())
			return nil, stamp, false
		}
		r.left -= stamp.Size
	}
	if data, ok = r.shared[stamp]; ok {
		r.counted[stamp] = true
		return data, lasting(stamp), true
	}
	data, after, err := readStable(r.source(f), r.left+stamp.Size)
	if err != nil {
		r.left += stamp.Size
		r.problems = append(r.problems, Problem{path, "cannot be read: " + reason.Of(err).Error(), "check the file; it is read again when it changes"}.printable())
		return nil, stamp, false
	}
	r.left += stamp.Size - after.Size // it may have grown in the meantime
	r.shared[after], r.counted[after] = data, true
	return data, lasting(after), true
}

// lasting is the stamp by which the next generation may know the file again:
// none while the file is so fresh that a further change might not alter it.
func lasting(s image.Stamp) image.Stamp {
	if time.Since(time.Unix(0, max(s.Changed, s.Modified))) < fresh {
		return image.Stamp{}
	}
	return s
}

// ambiguous names files that differ only in case, where a client that does not
// keep case gets the first.
func (r *reader) ambiguous() {
	first := map[string]string{}
	for _, f := range r.files {
		folded := strings.ToLower(f.Name)
		if other, ok := first[folded]; ok {
			r.problems = append(r.problems, Problem{f.Name, "differs from " + other + " only in case",
				"a client that asks in another case gets " + other + "; rename one of them if that is wrong"}.printable())
			continue
		}
		first[folded] = f.Name
	}
}

// source is how a file is reached: one of the root through the root, so that no
// directory on the way that has become a symbolic link leads out of it.
type source struct {
	root *os.Root // nil: path is absolute
	path string
}

func (r *reader) source(f found) source {
	if r.root != nil && f.below != "" {
		return source{r.root, f.below}
	}
	return source{nil, f.path}
}

// open opens the file. A FIFO that has taken its place must not hold us up, nor a
// link lead us elsewhere.
func (s source) open() (*os.File, error) {
	const how = os.O_RDONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK
	if s.root != nil {
		return s.root.OpenFile(s.path, how, 0)
	}
	return os.OpenFile(s.path, how, 0)
}

func (s source) lstat() (os.FileInfo, error) {
	if s.root != nil {
		return s.root.Lstat(s.path)
	}
	return os.Lstat(s.path)
}

// readStable reads a file that nobody writes to meanwhile: what stat says
// before and after must be the same.
func readStable(s source, most int64) (data []byte, stamp image.Stamp, err error) {
	for try := range attempts {
		if try > 0 {
			time.Sleep(pause)
		}
		if data, stamp, err = readOnce(s, most); err == nil || !errors.Is(err, errChanging) {
			return data, stamp, err
		}
	}
	return nil, stamp, err
}

func readOnce(s source, most int64) ([]byte, image.Stamp, error) {
	f, err := s.open()
	if err != nil {
		return nil, image.Stamp{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, image.Stamp{}, err
	}
	before := stampOf(info)
	if !info.Mode().IsRegular() || before.Size > most {
		return nil, before, fmt.Errorf("it has become %d bytes of mode %v", before.Size, info.Mode())
	}
	data := make([]byte, before.Size)
	if _, err := io.ReadFull(f, data); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, before, errChanging
		}
		return nil, before, err
	}
	if info, err = s.lstat(); err != nil || stampOf(info) != before {
		return nil, before, errChanging
	}
	return data, before, nil
}
