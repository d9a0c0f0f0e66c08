package engine

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"bootstorm/engine/sandbox"
)

// Values of Config.Sandbox.
const (
	SandboxOff    = ""       // the process keeps what it has
	SandboxOn     = "on"     // gives up what it can, says what it could not
	SandboxStrict = "strict" // what it cannot give up is an error
)

// become gives up root before anything of the outside is read.
func (s *server) become() error {
	if s.Sandbox == SandboxOff {
		return nil
	}
	r, err := sandbox.Become(s.User, s.LeaseFile)
	if err != nil {
		return err
	}
	return s.reportSandbox(r)
}

// confine gives up what only the start needed. From here on the keeper opens
// sockets.
func (s *server) confine() error {
	if s.Sandbox == SandboxOff {
		return nil
	}
	p := s.paths()
	if p.Sockets = s.Keeper == nil; !p.Sockets {
		s.Link.Opener = s.Keeper
	}
	return s.reportSandbox(sandbox.Confine(p))
}

// reportSandbox logs what was given up and what could not be.
func (s *server) reportSandbox(r *sandbox.Report) error {
	if len(r.Done) > 0 {
		s.log.Info("privileges: " + strings.Join(r.Done, "; "))
	}
	for _, text := range r.Lacking {
		s.log.Info("privileges: " + text)
	}
	if s.Sandbox == SandboxStrict {
		if err := r.Err(); err != nil {
			return fmt.Errorf("--sandbox strict: %w", err)
		}
	}
	return nil
}

// paths are the directories that a reload, a changed boot file and the journal
// need. A directory that an include names only later is not among them: the
// reload says so, and a restart reads it.
func (s *server) paths() sandbox.Paths {
	read := []string{s.Root, "/usr/lib/ipxe", "/usr/share/refind"}
	if s.File == "" {
		for _, f := range DefaultFiles {
			read = append(read, filepath.Dir(f))
		}
	}
	if s.setup.Derived == nil {
		for _, source := range s.setup.Tree.Sources {
			read = append(read, filepath.Dir(source.Name))
		}
	}
	slices.Sort(read)
	return sandbox.Paths{Read: slices.Compact(read), Write: []string{filepath.Dir(s.LeaseFile)}}
}
