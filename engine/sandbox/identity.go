package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// DefaultUser is who the daemon becomes when root starts it and nobody else is
// named.
const DefaultUser = "bootstorm"

// Become gives up root for the user, "" for DefaultUser where there is one, and
// every capability but those of opening interfaces. The directory of the lease
// file is made for the user if it is missing, and lease files that root left in
// it are handed over. The error is one of the command line or of the system's
// set-up; what the system refuses is in the report.
func Become(name, leaseFile string) (*Report, error) {
	r := &Report{}
	// First, because the right to empty the bounding set goes with root.
	if err := forbidGain(); err != nil {
		r.lacks("%v", err)
	}
	if err := become(name, leaseFile, r); err != nil {
		return nil, err
	}
	if err := keep(opening | superuserOf()); err != nil {
		r.lacks("%v", err)
	}
	return r, nil
}

// become changes the user. Without a lease file, none is looked after.
func become(name, leaseFile string, r *Report) error {
	if unix.Geteuid() != 0 {
		if u, err := user.Lookup(name); name != "" && (err != nil || u.Uid != strconv.Itoa(unix.Geteuid())) {
			return fmt.Errorf("--user %s: only root can become another user; start as root, or as that user with CAP_NET_RAW and CAP_NET_BIND_SERVICE", name)
		}
		r.done("runs as user %d", unix.Geteuid())
		return nil
	}
	u, err := user.Lookup(or(name, DefaultUser))
	switch {
	case err != nil && name == "":
		r.lacks("stays root: there is no user %s; make one (systemd-sysusers, or useradd --system %s), or name another with --user", DefaultUser, DefaultUser)
		return nil
	case err != nil:
		return fmt.Errorf("--user %s: there is no such user; make it with useradd --system %[1]s", name)
	case u.Uid == "0":
		r.lacks("stays root, as --user says")
		return nil
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := change(uid, gid, leaseFile); err != nil {
		// In a user namespace that knows one user there is no other to become.
		r.lacks("stays root: cannot become %s: %v", u.Username, err)
		return nil
	}
	r.done("runs as %s (user %d)", u.Username, uid)
	if leaseFile == "" {
		return nil
	}
	dir := filepath.Dir(leaseFile)
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("user %s may not write to %s, the directory of the lease file: %w; \"chown %s %s\", or name another file with --lease-file, or stay root with --user root",
			u.Username, dir, err, u.Username, dir)
	}
	return nil
}

// change becomes the user, with all threads, and keeps the permitted
// capabilities for keep to choose from.
func change(uid, gid int, leaseFile string) error {
	if err := syscall.Setgroups([]int{gid}); err != nil {
		return fmt.Errorf("setgroups: %w", err)
	}
	if err := syscall.Setresgid(gid, gid, gid); err != nil {
		return fmt.Errorf("setresgid: %w", err)
	}
	if leaseFile != "" {
		if err := handOver(leaseFile, uid, gid); err != nil {
			return err
		}
	}
	if err := prctl(unix.PR_SET_KEEPCAPS, 1); err != nil {
		return fmt.Errorf("PR_SET_KEEPCAPS: %w", err)
	}
	if err := syscall.Setresuid(uid, uid, uid); err != nil {
		return fmt.Errorf("setresuid: %w", err)
	}
	return prctl(unix.PR_SET_KEEPCAPS, 0)
}

// handOver makes the directory of the lease file for the user, and gives the
// user lease files that root left in it. An existing directory keeps its owner:
// it may serve others too.
func handOver(leaseFile string, uid, gid int) error {
	dir := filepath.Dir(leaseFile)
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.Chown(dir, uid, gid); err != nil {
			return err
		}
	}
	for _, suffix := range []string{"", ".lock", ".new", ".damaged", ".transfers", "~"} {
		if err := give(leaseFile+suffix, uid, gid); err != nil {
			return err
		}
	}
	return nil
}

// give changes the owner of a file that is root's. The user may write to the
// directory and put anything there by that name: only a plain file without a
// second name is touched, through its descriptor.
func give(path string, uid, gid int) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil // not there, or not a file that is ours to give
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Uid != 0 || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Nlink != 1 {
		return err
	}
	return os.NewSyscallError("fchown "+path, unix.Fchown(fd, uid, gid))
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// join lists names in a settled order.
func join(names []string) string {
	slices.Sort(names)
	return strings.Join(names, ", ")
}
