package pcap

import (
	"strings"

	"bootstorm/engine/image"
)

// learnFile learns a file's size from one transfer: from tsize when the client
// asked with 0 (RFC 2349; some servers return any other value as sent), else
// from the sum of the blocks.
func (s *Survey) learnFile(e *exchange) {
	if e.request.op != tftpRead || e.theirs.failed || !e.theirs.oacked && e.theirs.last == 0 {
		return
	}
	f := s.file(e.request.name)
	// The blocks first: a tsize below may correct them.
	size, exact := e.theirs.bytes(e.theirs.blksize())
	if !exact && e.theirs.last > 0 {
		size++ // there is more: the last block seen was full
	}
	if strings.EqualFold(e.request.mode, "netascii") {
		if exact {
			f.Ends = size // until settle knows the size itself
		}
		return
	}
	asked, _ := e.request.option("tsize")
	p := tftpPacket{options: e.theirs.oack}
	if v, ok := p.option("tsize"); ok && asked == "0" {
		size, exact = number(v, size), true
	}
	if exact || !f.Exact && size > f.Size {
		f.Size, f.Exact = size, f.Exact || exact
	}
}

// settle turns the netascii size into the number of line ends.
func (f *Learned) settle() {
	switch {
	case f.Ends == 0:
	case f.Size == 0:
		f.Size, f.Ends, f.Exact = f.Ends, 0, true
	default:
		f.Ends = max(0, f.Ends-f.Size)
	}
}

// Synthetic makes files of the learnt sizes. Their bytes are a pattern; as many
// of them are line feeds as the netascii form needs. Names that differ only in
// how the client wrote them name the same file.
func Synthetic(learnt []Learned) (files []image.File) {
	have := make(map[string]bool)
	for _, f := range learnt {
		f.settle()
		name := strings.TrimLeft(f.Name, "/")
		name = strings.TrimPrefix(name, "./")
		// "/a", "./a" and "a" are one file; names with .. are served by no rule of ours.
		if name == "" || have[name] || !local(name) {
			continue
		}
		have[name] = true
		files = append(files, image.File{Name: name, Data: pattern(f.Size, f.Ends), NetasciiSize: f.Size + f.Ends})
	}
	return files
}

// local tells whether a name stays below the root.
func local(name string) bool {
	for _, part := range strings.Split(name, "/") {
		if part == ".." || part == "." || part == "" {
			return false
		}
	}
	return true
}

// pattern makes size bytes of which the first ends are line feeds and none of
// the others is a line end.
func pattern(size, ends int64) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = 'a' + byte(i%23)
	}
	for i := range min(ends, size) {
		b[i] = '\n'
	}
	return b
}
