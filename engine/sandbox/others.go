package sandbox

import (
	"debug/elf"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// Keeper confines the process that opens sockets and starts the view: to the user
// name (see Become), to the two capabilities of sockets, to no file but its own
// program, and to the system calls that this takes. What it starts inherits all
// of that but the capabilities. program is the path that it starts itself by; "" means that the view
// runs programs of the operator, from which neither files nor calls can be taken.
func Keeper(name, program string) (*Report, error) {
	r := &Report{}
	if err := forbidGain(); err != nil {
		r.lacks("%v", err)
	}
	if err := become(name, "", r); err != nil {
		return nil, err
	}
	if err := keep(needed); err != nil {
		r.lacks("%v", err)
	}
	r.done("keeps %s, no new privileges", held())
	if program == "" {
		r.done("may read and execute what its user may, for the hook's command")
		return r, nil
	}
	libraries, err := interpreter(program)
	if err != nil {
		r.lacks("%v", err)
	}
	rules := []landlock.Rule{landlock.PathAccess(ll.AccessFSExecute|ll.AccessFSReadFile, program), landlock.ROFiles(resolver...).IgnoreIfMissing(),
		landlock.PathAccess(ll.AccessFSReadFile|ll.AccessFSReadDir, certificates...).IgnoreIfMissing()}
	if libraries != nil { // a program that is not static, as tests are
		rules = append(rules, landlock.RODirs(libraries...).IgnoreIfMissing(), landlock.ROFiles("/etc/ld.so.cache").IgnoreIfMissing())
	}
	r.landlock(landlock.V8.BestEffort().RestrictPaths(rules...), "executes only its own program")
	r.seccomp(keeperRules(libraries == nil))
	return r, nil
}

// certificates are the directories that a webhook's server is known by.
var certificates = []string{"/etc/ssl/certs", "/usr/share/ca-certificates", "/etc/pki/tls/certs"}

// View confines the process that shows what happens: to no capability, no file
// but those of names, local time and certificates, and no socket but those that
// it has, unless it calls (a webhook).
func View(calls bool) *Report {
	r := &Report{}
	if err := keep(0); err != nil {
		r.lacks("%v", err)
	}
	r.done("keeps %s, no new privileges", held())
	err := landlock.V8.BestEffort().RestrictPaths(landlock.ROFiles(resolver...).IgnoreIfMissing(), landlock.PathAccess(ll.AccessFSReadFile|ll.AccessFSReadDir, certificates...).IgnoreIfMissing())
	r.landlock(err, "no files")
	r.seccomp(viewRules(calls))
	return r
}

// interpreter returns the directories of the loader and the libraries that a
// program needs to start, and of /proc, where libpsx finds the threads of a
// program with cgo; nil if the program is static.
func interpreter(program string) (dirs []string, err error) {
	f, err := elf.Open(program)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		path := make([]byte, p.Filesz)
		if _, err := p.ReadAt(path, 0); err != nil {
			return nil, fmt.Errorf("%s: its loader: %w", program, err)
		}
		return []string{filepath.Dir(strings.TrimRight(string(path), "\x00")), "/lib", "/usr/lib", "/proc"}, nil
	}
	return nil, nil
}
