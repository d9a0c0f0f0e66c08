package lab

import (
	"os"
	"strconv"
	"strings"
)

// knob is a kernel setting that can forbid user namespaces.
type knob struct {
	name    string // as sysctl(8) writes it
	forbids func(value int) bool
	remedy  string
}

var knobs = []knob{
	{"kernel.unprivileged_userns_clone", func(v int) bool { return v == 0 },
		"sysctl -w kernel.unprivileged_userns_clone=1"},
	{"user.max_user_namespaces", func(v int) bool { return v == 0 },
		"sysctl -w user.max_user_namespaces=10000"},
	{"user.max_net_namespaces", func(v int) bool { return v == 0 },
		"sysctl -w user.max_net_namespaces=10000"},
	{"kernel.apparmor_restrict_unprivileged_userns", func(v int) bool { return v != 0 },
		"sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
}

// Diagnose says, in lines for a person, why namespaces are not available here
// and what would make them so.
func Diagnose() string { return diagnose(os.ReadFile, os.Geteuid()) }

func diagnose(read func(string) ([]byte, error), uid int) string {
	var lines []string
	for _, k := range knobs {
		text, err := read("/proc/sys/" + strings.ReplaceAll(k.name, ".", "/"))
		if err != nil {
			continue // not a setting of this kernel
		}
		v, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err == nil && k.forbids(v) {
			lines = append(lines, "  "+k.name+" = "+strconv.Itoa(v)+" forbids it: as root, "+k.remedy)
		}
	}
	if _, err := read("/proc/self/ns/user"); err != nil {
		lines = append(lines, "  this kernel has no user namespaces (CONFIG_USER_NS)")
	}
	if len(lines) == 0 {
		lines = append(lines, "  no kernel setting forbids it; a container runtime or seccomp filter probably does")
	}
	if uid == 0 {
		lines = append(lines, "  root here lacks CAP_SYS_ADMIN: in a container, start it with --privileged or --cap-add SYS_ADMIN --cap-add NET_ADMIN")
	} else {
		lines = append(lines, "  or run the same command as root")
	}
	return "what is missing:\n" + strings.Join(lines, "\n")
}
