// Package load reads the boot files below a TFTP root into memory and watches
// the root for changes. It is the cold side of package image: nothing here runs
// while a frame waits.
//
// # What is served
//
// Every regular file below the root, hidden ones included (as tftpd-hpa does),
// that everybody may read: the daemon reads them with more rights than the
// network should have, so a file without read permission for others, or below
// a directory without search permission for others, is left out and named.
// Symbolic links are followed within the root; one that leads out of it, or
// back to a directory that contains it, is left out and named. Devices, FIFOs
// and sockets are never opened.
//
// A file whose name ends in ".tmpl" is a template, served without that ending: see
// package fill.
//
// # Memory
//
// Files lie on the heap, in blocks without pointers, which is anonymous memory
// that nobody can unmap while a message still refers to it. Reading 1 GiB into
// it and into an anonymous mapping took equally long (large blocks are fresh
// pages and are not cleared again), and a collection beside it a few
// milliseconds, for it does not look inside. A generation is freed when nothing
// refers to it any more. The next collection notices that, at the latest two
// minutes later, and its pages then go back to the kernel at once (1 GiB took
// 0.1 to 0.5 s, off the hot path). Files that have not changed are shared
// between generations, so a reload costs what has changed.
package load

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"bootstorm/engine/image"
	"bootstorm/engine/reason"
)

// File is a file that is served although the root does not have it.
type File struct {
	Name   string   // as File.Name of package image
	Data   []byte   // its bytes, if built in
	Paths  []string // else where to look for it, in this order
	Remedy string   // what to do if it is nowhere
}

// Options says what to read.
type Options struct {
	Root       string     // the TFTP root
	LimitBytes int64      // most bytes to keep in memory; 0: half of the machine's memory
	Fallback   []File     // used only where the root lacks the name, in whatever case
	Previous   *image.Set // files unchanged since then are not read again; nil: none
}

// Problem is a file that is not served, or not as one would expect.
type Problem struct {
	Path   string // on disk, or the name of a fallback file
	Text   string // what is wrong
	Remedy string // what to do about it
}

// printable makes a problem safe to show: names of files may hold anything but
// slashes and zeros, also what moves a terminal's cursor.
func (p Problem) printable() Problem {
	return Problem{printable(p.Path), printable(p.Text), printable(p.Remedy)}
}

func printable(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return s
	}
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}

// String returns the problem in one line.
func (p Problem) String() string { return p.Path + ": " + p.Text + " (" + p.Remedy + ")" }

// Read reads the files below the root. Whatever is not served is named in the
// problems. It fails only if the root cannot be read at all and there are no
// fallback files either.
func Read(o Options, generation uint32) (*image.Set, []Problem, error) {
	root, err := filepath.Abs(o.Root)
	if err != nil {
		return nil, nil, fmt.Errorf("TFTP root %s: %w", o.Root, err)
	}
	w, err := walk(root)
	if err != nil {
		if len(o.Fallback) == 0 {
			return nil, nil, err
		}
		w.problem(root, "not a readable directory: "+reason.Of(err).Error(), "create it, or name another one")
	}
	r := newReader(Limit(o.LimitBytes), o.Previous)
	r.problems = w.problems
	if w.root != "" {
		if r.root, err = os.OpenRoot(w.root); err != nil {
			return nil, nil, fmt.Errorf("TFTP root %s: %w", o.Root, err)
		}
		defer r.root.Close()
	}
	for _, f := range w.found {
		r.add(f)
	}
	for i := range o.Fallback {
		if !w.present[strings.ToLower(o.Fallback[i].Name)] {
			r.fallback(&o.Fallback[i])
		}
	}
	r.ambiguous()
	s := image.Build(generation, root, r.files)
	runtime.AddCleanup(s, returnMemory, generation)
	return s, r.problems, nil
}

// returnMemory gives the pages of a generation that nobody uses any more back
// to the kernel, instead of keeping them for later.
func returnMemory(uint32) { go debug.FreeOSMemory() }

// Limit is how many bytes may be kept: what was asked for, or half of the
// machine's memory (sysinfo(2)).
func Limit(asked int64) int64 {
	if asked > 0 {
		return asked
	}
	var info syscall.Sysinfo_t
	if err := syscall.Sysinfo(&info); err != nil {
		return 1 << 30
	}
	return int64(info.Totalram) * int64(info.Unit) / 2
}
