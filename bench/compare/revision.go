package compare

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// git runs git in dir and returns what it prints.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...).Output()
	return strings.TrimSpace(string(out)), err
}

// BaselineFile names the commit that was accepted last, below the root of the
// repository. Lines that begin with # are for people.
const BaselineFile = "bench/compare/baseline"

// Baseline chooses what a change is compared with when nobody says it, and says
// why; "" if there is nothing, as in a clone of depth one:
//
//   - the commit that BaselineFile names, if it is in the history of HEAD,
//   - else where the branch left origin/main, if it has left it,
//   - else HEAD, if files are changed,
//   - else the commit before HEAD.
//
// A history may have been rewritten, or cut short by a shallow clone, so that the
// accepted commit is not in it. Then the next best is chosen, and said.
func Baseline(ctx context.Context, dir string) (commit, why string) {
	accepted := acceptedCommit(dir)
	if accepted != "" {
		if _, err := git(ctx, dir, "merge-base", "--is-ancestor", accepted, "HEAD"); err == nil {
			return accepted, "the accepted baseline, which " + BaselineFile + " names"
		}
	}
	commit, why = nearest(ctx, dir)
	if accepted != "" {
		why += fmt.Sprintf(" (%s names %s, which is not in this history: it was rewritten, or the clone is shallow)", BaselineFile, accepted)
	}
	return commit, why
}

// nearest is the baseline where none was accepted.
func nearest(ctx context.Context, dir string) (commit, why string) {
	find := func(name string) string {
		c, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", name+"^{commit}")
		if err != nil {
			return ""
		}
		return c
	}
	head := find("HEAD")
	if fork, err := git(ctx, dir, "merge-base", "HEAD", "origin/main"); err == nil && fork != head {
		return fork, "where this branch left origin/main"
	}
	if changed, err := git(ctx, dir, "status", "--porcelain", "--untracked-files=no"); err == nil && changed != "" {
		return head, "HEAD, since files are changed"
	}
	if before := find("HEAD~1"); before != "" {
		return before, "the commit before HEAD"
	}
	return "", "there is no earlier version to compare with"
}

// acceptedCommit reads BaselineFile; "" if there is none.
func acceptedCommit(dir string) string {
	text, _ := os.ReadFile(filepath.Join(dir, BaselineFile))
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return line
		}
	}
	return ""
}

// Accept writes HEAD into BaselineFile and returns it: what comes later is
// compared with it. Files must not be changed, since HEAD would not have them.
func Accept(ctx context.Context, dir string) (string, error) {
	if changed, err := git(ctx, dir, "status", "--porcelain", "--untracked-files=no"); err != nil || changed != "" {
		return "", fmt.Errorf("a baseline is a commit: commit first what is changed (%s)", strings.ReplaceAll(changed, "\n", ","))
	}
	head, err := git(ctx, dir, "rev-parse", "HEAD")
	if err != nil {
		return "", fmt.Errorf("git rev-parse HEAD: %w", err)
	}
	name := filepath.Join(dir, BaselineFile)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return "", err
	}
	text := "# The commit that bench compare measures against. bench compare --accept moves it to HEAD:\n" +
		"# after a slowdown that was meant, or a gain that is to be kept.\n" + head + "\n"
	return head, os.WriteFile(name, []byte(text), 0o644)
}

// Source returns the folder of a version: itself if it names a folder, else a
// copy of the revision in to. Nothing is left behind in the repository.
func Source(ctx context.Context, dir, version, to string) (string, error) {
	if i, err := os.Stat(filepath.Join(version, "go.mod")); err == nil && i.Mode().IsRegular() {
		return filepath.Abs(version)
	}
	commit, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", version+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("%s is neither a folder with a go.mod nor a revision", version)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return "", err
	}
	archive := filepath.Join(to, ".archive.tar")
	if _, err := git(ctx, dir, "archive", "--output", archive, commit); err != nil {
		return "", fmt.Errorf("git archive %s: %w", commit, err)
	}
	if out, err := exec.CommandContext(ctx, "tar", "-xf", archive, "-C", to).CombinedOutput(); err != nil {
		return "", fmt.Errorf("tar: %w\n%s", err, out)
	}
	return to, os.Remove(archive)
}
