package lab

import (
	"errors"
	"strings"
	"testing"
)

func TestDiagnose(t *testing.T) {
	const proc = "/proc/sys/"
	cases := []struct {
		name  string
		files map[string]string
		uid   int
		want  string
	}{
		{"debian switch", map[string]string{proc + "kernel/unprivileged_userns_clone": "0\n", "/proc/self/ns/user": ""}, 1000,
			"kernel.unprivileged_userns_clone = 0 forbids it: as root, sysctl -w kernel.unprivileged_userns_clone=1"},
		{"no namespaces allowed", map[string]string{proc + "user/max_user_namespaces": "0\n", "/proc/self/ns/user": ""}, 1000,
			"user.max_user_namespaces = 0 forbids it"},
		{"apparmor", map[string]string{proc + "kernel/apparmor_restrict_unprivileged_userns": "1\n", "/proc/self/ns/user": ""}, 1000,
			"kernel.apparmor_restrict_unprivileged_userns=0"},
		{"kernel without", map[string]string{}, 1000, "CONFIG_USER_NS"},
		{"nothing to blame", map[string]string{proc + "user/max_user_namespaces": "96365\n", "/proc/self/ns/user": ""}, 1000,
			"no kernel setting forbids it"},
		{"user", map[string]string{"/proc/self/ns/user": ""}, 1000, "or run the same command as root"},
		{"root in a container", map[string]string{"/proc/self/ns/user": ""}, 0, "CAP_SYS_ADMIN"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			read := func(name string) ([]byte, error) {
				if text, ok := c.files[name]; ok {
					return []byte(text), nil
				}
				return nil, errors.New("no such file")
			}
			if got := diagnose(read, c.uid); !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q in it", got, c.want)
			}
		})
	}
}
