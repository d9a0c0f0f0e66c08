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

// Baseline chooses what a change is compared with when nobody says it; "" if
// there is nothing, as in a clone of depth one. No commit is written down in a
// file, since histories are rewritten:
//
//   - the tag "baseline", if there is one,
//   - else where the branch left origin/main, if it has left it,
//   - else HEAD, if files are changed,
//   - else the commit before HEAD.
func Baseline(ctx context.Context, dir string) string {
	commit := func(name string) string {
		c, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", name+"^{commit}")
		if err != nil {
			return ""
		}
		return c
	}
	head := commit("HEAD")
	if tag := commit("refs/tags/baseline"); tag != "" {
		return tag
	}
	if fork, err := git(ctx, dir, "merge-base", "HEAD", "origin/main"); err == nil && fork != head {
		return fork
	}
	if changed, err := git(ctx, dir, "status", "--porcelain", "--untracked-files=no"); err == nil && changed != "" {
		return head
	}
	return commit("HEAD~1")
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
