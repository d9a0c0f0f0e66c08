package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// programEnv names a bootstorm to test instead of the one of this source.
const programEnv = "BOOTSTORM"

// Build builds bootstorm into a folder and returns its path; or the path that
// BOOTSTORM names in the environment.
func Build(dir string) (path string, err error) {
	if path = os.Getenv(programEnv); path != "" {
		return path, nil
	}
	path = filepath.Join(dir, "bootstorm")
	build := exec.Command("go", "build", "-o", path, "bootstorm/cmd/bootstorm")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build bootstorm: %w\n%s", err, out)
	}
	return path, nil
}

// MainWith is Main for tests that share one bootstorm: it is built first, and
// program is its path.
func MainWith(m interface{ Run() int }, program *string) { Main(builder{m, program}) }

// builder builds the program before the tests run.
type builder struct {
	tests   interface{ Run() int }
	program *string
}

// Run implements the argument of Main.
func (b builder) Run() (status int) {
	dir, err := os.MkdirTemp("", "bootstorm")
	if err == nil {
		*b.program, err = Build(dir)
	}
	if err == nil {
		status = b.tests.Run()
		err = os.RemoveAll(dir)
	} else {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(status, 1)
	}
	return status
}
