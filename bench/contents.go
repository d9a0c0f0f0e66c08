package bench

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// File is what a boot file must turn out to be. With Data, every block is
// compared as it arrives; without, the whole is assembled and its hash taken.
type File struct {
	Name   string
	Size   int
	Data   []byte
	SHA256 [sha256.Size]byte // used only without Data

	// Fetches are the files that the script asks for, in order, if the file is
	// an iPXE script.
	// UEFI's iPXE and that of a BIOS may take different ways through it.
	Fetches     []string
	BIOSFetches []string
}

// Contents are the expected files by their name as a client asks for it.
type Contents struct {
	files map[string]*File
}

// NewContents makes Contents of files.
func NewContents(files ...*File) *Contents {
	c := &Contents{files: make(map[string]*File, len(files))}
	for _, f := range files {
		if f.Data != nil {
			f.Size = len(f.Data)
			f.Fetches = scriptFetches(f.Data, "efi")
			f.BIOSFetches = scriptFetches(f.Data, "pcbios")
		}
		c.files[f.Name] = f
	}
	return c
}

// ReadContents takes every regular file below dir as expected.
func ReadContents(dir string) (*Contents, error) {
	var files []*File
	// Symbolic links are followed for files, not for directories: Debian links
	// /usr/lib/ipxe/ipxe.efi elsewhere, and a loop of directories has no end.
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		if data == nil { // an empty file is expected to be empty; nil would mean "known by hash only"
			data = []byte{}
		}
		files = append(files, &File{Name: filepath.ToSlash(rel), Data: data})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no file", dir)
	}
	return NewContents(files...), nil
}

// Lookup finds a file as clients name it: with or without a leading slash.
func (c *Contents) Lookup(name string) *File {
	if f := c.files[name]; f != nil {
		return f
	}
	return c.files[strings.TrimLeft(path.Clean("/"+name), "/")]
}
