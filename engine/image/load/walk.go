package load

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"bootstorm/engine/image"
	"bootstorm/engine/reason"
)

// Bounds of a root. They stop a tree that feeds on itself, not a real one.
const (
	maxDepth = 32
	maxFiles = 1 << 16
)

// found is a file that is to be served.
type found struct {
	name  string // below the root
	path  string // without symbolic links
	below string // path as seen from the root, without symbolic links; empty for a file that is not of the root
	stamp image.Stamp
}

// walker goes through a root.
type walker struct {
	root     string // without symbolic links
	found    []found
	dirs     []string        // directories visited, without symbolic links
	present  map[string]bool // lower-case names that exist, served or not
	problems []Problem
}

// walk lists the files below a root, in the order of their names.
func walk(root string) (*walker, error) {
	w := &walker{present: map[string]bool{}}
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return w, err
	}
	if info, err := os.Stat(real); err != nil || !info.IsDir() {
		return w, &fs.PathError{Op: "open", Path: root, Err: syscall.ENOTDIR}
	}
	if _, err := os.ReadDir(real); err != nil {
		return w, err
	}
	w.root = real
	w.directory(real, "", []string{real})
	slices.SortFunc(w.found, func(a, b found) int { return strings.Compare(a.name, b.name) })
	return w, nil
}

func (w *walker) problem(path, text, remedy string) {
	w.problems = append(w.problems, Problem{path, text, remedy}.printable())
}

// directory visits a directory. above are the directories that it was reached
// through, itself included.
func (w *walker) directory(path, prefix string, above []string) {
	w.dirs = append(w.dirs, path)
	entries, err := os.ReadDir(path)
	if err != nil {
		w.problem(path, "cannot be read: "+reason.Of(err).Error(), "check its permissions")
	}
	for _, e := range entries {
		w.entry(filepath.Join(path, e.Name()), prefix+e.Name(), e.Type()&fs.ModeSymlink != 0, above)
	}
}

// entry decides about one directory entry.
func (w *walker) entry(path, name string, link bool, above []string) {
	w.present[strings.ToLower(name)] = true
	if served, ok := fromTemplate(name); ok {
		w.present[strings.ToLower(served)] = true
	}
	if strings.Contains(name, `\`) || len(name) > image.MaxName {
		w.problem(path, "no request can name it", fmt.Sprintf("use a name without backslashes, of at most %d bytes", image.MaxName))
		return
	}
	real := path
	if link {
		var ok bool
		if real, ok = w.follow(path); !ok {
			return
		}
	}
	info, err := os.Lstat(real)
	switch {
	case err != nil:
		w.problem(path, "cannot be examined: "+reason.Of(err).Error(), "check its permissions")
	case info.IsDir():
		w.below(real, name, info, above)
	case !info.Mode().IsRegular():
		w.problem(path, "is "+kind(info.Mode())+", not a file", "remove it from the root")
	case info.Mode().Perm()&0o004 == 0:
		w.problem(path, "is not readable for everybody, as a file on a TFTP server must be", "chmod o+r "+path)
	case len(w.found) == maxFiles:
		w.problem(path, fmt.Sprintf("is beyond the limit of %d files", maxFiles), "serve a smaller root")
	default:
		w.found = append(w.found, found{name, real, strings.TrimPrefix(strings.TrimPrefix(real, w.root), "/"), stampOf(info)})
	}
}

// follow resolves a symbolic link, if it stays in the root.
func (w *walker) follow(path string) (real string, ok bool) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		w.problem(path, "is a symbolic link that leads nowhere: "+reason.Of(err).Error(), "correct or remove it")
		return "", false
	}
	if real != w.root && !strings.HasPrefix(real, strings.TrimSuffix(w.root, "/")+"/") {
		w.problem(path, "is a symbolic link out of the root, to "+real, "copy the file into the root")
		return "", false
	}
	return real, true
}

// below visits a subdirectory, if that makes sense.
func (w *walker) below(real, name string, info fs.FileInfo, above []string) {
	switch {
	case slices.Contains(above, real):
		w.problem(real, "is linked to from below itself, as "+name, "remove the symbolic link")
	case len(above) > maxDepth:
		w.problem(real, fmt.Sprintf("lies more than %d directories deep", maxDepth), "move it up")
	case len(w.found) == maxFiles: // said already
	case info.Mode().Perm()&0o001 == 0:
		w.problem(real, "may not be searched by everybody, as a directory on a TFTP server must be", "chmod o+x "+real)
	default:
		w.directory(real, name+"/", append(slices.Clip(above), real))
	}
}

// kind names what a file is that is none.
func kind(m fs.FileMode) string {
	switch {
	case m&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "something special"
}

// stampOf is what identifies a file's content (stat(2)).
func stampOf(info fs.FileInfo) image.Stamp {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return image.Stamp{Size: info.Size(), Modified: info.ModTime().UnixNano()}
	}
	return image.Stamp{Device: st.Dev, Inode: st.Ino, Size: st.Size, Modified: st.Mtim.Nano(), Changed: st.Ctim.Nano()}
}
