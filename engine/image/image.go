// Package image is the boot files as the core sees them: immutable bytes in
// memory behind an index by name. A Set is one generation; a reload builds
// another, and transfers in flight finish on the generation they began with.
// Reading the files is the work of package load.
package image

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// File is one boot file.
type File struct {
	Name         string // path below the root, slashes, no leading slash
	Data         []byte // anonymous memory, never written after Build
	NetasciiSize int64  // size in netascii form (RFC 764): CR becomes CR NUL, LF becomes CR LF
	Stamp        Stamp  // what the bytes were read from; zero for built-in files
	Template     bool   // Data is to be filled in for each node (package fill); who asks gets what Rendered has for it
}

// Stamp identifies the content of a file on disk without reading it: where all
// fields are equal, the bytes are taken to be the same.
type Stamp struct {
	Device, Inode uint64
	Size          int64 // bytes
	Modified      int64 // ns since 1970, st_mtim
	Changed       int64 // ns since 1970, st_ctim
}

// Set is one generation of boot files. It is immutable.
type Set struct {
	Generation uint32
	Root       string // absolute path of the TFTP root; requests may carry it as a prefix
	files      []File // sorted by name
	bytes      int64
	prefix     string // Root in the form of names, empty if it is "/" or unknown
	exact      table
	folded     table // lower-cased names, for clients that do not keep case
}

// Build makes a generation of files. Of files with the same name the first
// counts; names that differ only in case are all kept. It keeps the files' data
// and fills in NetasciiSize where it is zero. Names longer than MaxName cannot
// be asked for and are left out.
func Build(generation uint32, root string, files []File) *Set {
	s := &Set{Generation: generation, Root: root}
	if n, ok := clean(new([MaxName]byte), []byte(strings.TrimRight(root, "/"))); ok {
		s.prefix = string(n) + "/"
	}
	s.files = slices.DeleteFunc(slices.Clone(files), func(f File) bool { return len(f.Name) > MaxName })
	slices.SortStableFunc(s.files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	s.files = slices.CompactFunc(s.files, func(a, b File) bool { return a.Name == b.Name })
	s.exact, s.folded = newTable(len(s.files)), newTable(len(s.files))
	counted := map[*byte]bool{}
	for i := range s.files {
		f := &s.files[i]
		if p := first(f.Data); !counted[p] {
			counted[p] = true
			s.bytes += int64(len(f.Data))
		}
		if f.NetasciiSize == 0 {
			f.NetasciiSize = NetasciiSize(f.Data)
		}
		s.exact.add(s.files, int32(i), false)
		s.folded.add(s.files, int32(i), true) // sorted: the lexically first keeps an ambiguous name
	}
	return s
}

// first tells shared bytes from equal ones.
func first(data []byte) *byte {
	if len(data) == 0 {
		return nil
	}
	return &data[0]
}

// NetasciiSize is how many bytes data takes in netascii form: every CR and
// every LF becomes two.
func NetasciiSize(data []byte) int64 {
	return int64(len(data) + bytes.Count(data, []byte{'\r'}) + bytes.Count(data, []byte{'\n'}))
}

// File returns a file by the index that Lookup gave.
func (s *Set) File(index int32) *File { return &s.files[index] }

// Len returns how many files the Set has; indexes run from 0, in the order of
// their names.
func (s *Set) Len() int { return len(s.files) }

// Bytes returns how much memory the files take: the sum of their sizes, where
// several names share the same bytes counted once.
func (s *Set) Bytes() int64 { return s.bytes }
