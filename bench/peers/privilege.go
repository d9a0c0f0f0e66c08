package peers

import (
	"errors"
	"os"
	"strings"
)

// ErrNeedsRoot is returned by Compare without the rights that it needs.
var ErrNeedsRoot = errors.New("the comparison needs root itself, not the root of a user namespace: it measures the processor time of " +
	"other programs, enlarges their buffers and raises their limits; run it as root (bench storm needs less)")

// permitted returns nil for root outside of user namespaces, or at the top of
// what they map (user_namespaces(7)).
func permitted() error {
	m, err := os.ReadFile("/proc/self/uid_map")
	if err != nil || os.Geteuid() != 0 || strings.Join(strings.Fields(string(m)), " ") != "0 0 4294967295" {
		return ErrNeedsRoot
	}
	return nil
}
