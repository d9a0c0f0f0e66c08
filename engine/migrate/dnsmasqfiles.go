package migrate

import (
	"os"
	"path/filepath"
	"sort"
	"strings"
)

const dnsmasqDefaults = "/etc/default/dnsmasq"

// readDnsmasq gathers the lines of all files.
func (h *host) readDnsmasq() (*dnsmasq, error) {
	m := &dnsmasq{h: h, seen: map[string]bool{}, used: map[string]bool{}, leases: dnsmasqLeases}
	m.tags.m = m
	if err := m.readFile(dnsmasqConf, ""); err != nil {
		return nil, err
	}
	// Debian's package names a directory on the command line, whatever the file
	// says of it.
	text, _, err := h.read(dnsmasqDefaults)
	if err != nil {
		return nil, err
	}
	for _, a := range assignments(text) {
		switch dir := strings.Split(a.value, ","); {
		case a.name == "CONFIG_DIR" && dir[0] != "":
			if err := m.readDir(dir[0], dir[1:], false); err != nil {
				return nil, err
			}
		case a.name == "DNSMASQ_OPTS" && a.value != "":
			m.flags = append(m.flags, a)
		}
	}
	return m, nil
}

// readFile reads a file and what it includes. With a key every line is a value
// of that option, as in a dhcp-hostsfile.
func (m *dnsmasq) readFile(name, key string) error {
	if m.seen[name] || len(m.seen) == maxFiles {
		return nil
	}
	text, ok, err := m.h.read(name)
	if err != nil || !ok {
		return err
	}
	m.seen[name] = true
	for i, line := range strings.Split(text, "\n") {
		d := parseDirective(line)
		if d.key == "" {
			continue
		}
		if key != "" {
			d.value = strings.TrimSpace(stripComment(line))
			d.key = key
		}
		d.file, d.line = name, i+1
		if err := m.include(d); err != nil {
			return err
		}
	}
	return nil
}

// include follows a line that names other files, and keeps any other.
func (m *dnsmasq) include(d directive) error {
	file := func(key string) error {
		if info, err := os.Stat(m.h.path(d.value)); err == nil && info.IsDir() {
			return m.readDirAs(d.value, key)
		}
		if !exists(m.h.path(d.value)) {
			m.h.note(d.file, d.line, d.text, Lost, "%s does not exist", d.value)
			return nil
		}
		m.h.note(d.file, d.line, d.text, Taken, "its lines are read")
		return m.readFile(d.value, key)
	}
	switch d.key {
	case "conf-file":
		return file("")
	case "dhcp-hostsfile":
		return file("dhcp-host")
	case "dhcp-optsfile":
		return file("dhcp-option")
	case "conf-dir":
		parts := strings.Split(d.value, ",")
		return m.readDir(strings.TrimRight(parts[0], "/"), parts[1:], true)
	}
	m.directives = append(m.directives, d)
	return nil
}

// readDirAs reads all files of a directory as values of one option.
func (m *dnsmasq) readDirAs(dir, key string) error {
	entries, _ := os.ReadDir(m.h.path(dir)) // stated just now
	for _, e := range entries {
		if err := m.readFile(filepath.Join(dir, e.Name()), key); err != nil {
			return err
		}
	}
	return nil
}

// readDir reads the files of a conf-dir: all but those with one of the endings,
// or, where an ending begins with a star, only those that have it.
func (m *dnsmasq) readDir(dir string, endings []string, must bool) error {
	entries, err := os.ReadDir(m.h.path(dir))
	if err != nil {
		if os.IsNotExist(err) && !must {
			return nil
		}
		return err
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name() < entries[j].Name() })
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || strings.HasSuffix(name, "~") || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") || name == "README" {
			continue
		}
		only, wanted, unwanted := false, false, false
		for _, ending := range endings {
			if suffix, ok := strings.CutPrefix(ending, "*"); ok {
				only, wanted = true, wanted || strings.HasSuffix(name, suffix)
			} else if ending != "" && strings.HasSuffix(name, ending) {
				unwanted = true
			}
		}
		if unwanted || only && !wanted {
			continue
		}
		if err := m.readFile(filepath.Join(dir, name), ""); err != nil {
			return err
		}
	}
	return nil
}

// stripComment cuts a comment off: a # at the start or behind white space,
// outside quotes.
func stripComment(line string) string {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == '#' && !quoted && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			return line[:i]
		}
	}
	return line
}

// parseDirective reads "key=value" or "key"; the key is empty where there is
// nothing.
func parseDirective(line string) directive {
	text := strings.TrimSpace(stripComment(line))
	key, value, _ := strings.Cut(text, "=")
	return directive{key: strings.TrimSpace(strings.TrimPrefix(key, "--")), value: strings.TrimSpace(value), text: text}
}

// fields takes a value apart at its commas, quotes off and white space around
// them too.
func fields(value string) (list []string) {
	var b strings.Builder
	quoted := false
	end := func() { list = append(list, strings.TrimSpace(b.String())); b.Reset() }
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case c == '\\' && quoted && i+1 < len(value):
			i++
			b.WriteByte(value[i])
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			end()
		default:
			b.WriteByte(c)
		}
	}
	end()
	return list
}

// cutTags takes leading "tag:x", "net:x" (the old spelling) and "set:x" off a
// list. What has no prefix and is no tag begins the rest.
func cutTags(list []string) (want []string, set []string, rest []string) {
	for i, f := range list {
		if t, ok := strings.CutPrefix(f, "tag:"); ok {
			want = append(want, t)
		} else if t, ok := strings.CutPrefix(f, "net:"); ok {
			want = append(want, strings.Replace(t, "#", "!", 1))
		} else if t, ok := strings.CutPrefix(f, "set:"); ok {
			set = append(set, t)
		} else {
			return want, set, list[i:]
		}
	}
	return want, set, nil
}
