package pcap

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"bootstorm/proto"
)

// ManifestName is the file in which a folder of captures says how each is to be
// replayed.
const ManifestName = "manifest.txt"

// Case is how one capture is replayed. Its section of a manifest is
//
//	capture NAME
//	    config FILE                the dhcpd.conf, relative to the manifest
//	    hosts MAC…                 adds a host declaration node_1, node_2 … for each
//	    server MAC ADDRESS/LENGTH  the captured server, where it cannot be guessed
//	    file NAME SIZE             a boot file that no transfer shows
//	    differences FILE           the reviewed list of differences
//
// Lines above the first section hold for every capture. # begins a comment.
type Case struct {
	Name        string
	Config      string // path
	Differences string // path, empty if none
	Hosts       []proto.MAC
	Server      Server
	Files       []Learned
}

// ReadManifest reads the manifest of a folder.
func ReadManifest(folder string) (cases []Case, err error) {
	name := filepath.Join(folder, ManifestName)
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var common Case
	current := &common
	for i, line := range strings.Split(string(b), "\n") {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if words[0] == "capture" && len(words) == 2 {
			c := common
			c.Name = words[1]
			cases = append(cases, c)
			current = &cases[len(cases)-1]
			continue
		}
		if err := current.set(folder, words[0], words[1:]); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
	}
	return cases, nil
}

// FindCase returns the case of a capture file whose folder has a manifest that
// names it, nil if there is none.
func FindCase(file string) (*Case, error) {
	cases, err := ReadManifest(filepath.Dir(file))
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for i := range cases {
		if cases[i].Name == filepath.Base(file) {
			return &cases[i], nil
		}
	}
	return nil, nil
}

// set takes one line. An unknown key is an error: a misspelt one would replay
// the capture by a configuration that nobody meant.
func (c *Case) set(folder, key string, words []string) (err error) {
	switch {
	case key == "config" && len(words) == 1:
		c.Config = filepath.Join(folder, words[0])
	case key == "differences" && len(words) == 1:
		c.Differences = filepath.Join(folder, words[0])
	case key == "hosts":
		c.Hosts = nil
		for _, w := range words {
			m, err := ParseMAC(w)
			if err != nil {
				return err
			}
			c.Hosts = append(c.Hosts, m)
		}
	case key == "server" && len(words) == 2:
		if c.Server.MAC, err = ParseMAC(words[0]); err != nil {
			return err
		}
		c.Server.Addr, c.Server.Mask, err = ParsePrefix(words[1])
	case key == "file" && len(words) == 2:
		n := number(words[1], -1)
		if n < 0 {
			return fmt.Errorf("%q is not a size in bytes", words[1])
		}
		c.Files = append(c.Files, Learned{Name: words[0], Size: n, Exact: true})
	default:
		return fmt.Errorf("not understood: %s %s", key, strings.Join(words, " "))
	}
	return err
}

// ParseMAC reads a hardware address as proto.MAC.String writes it.
func ParseMAC(s string) (m proto.MAC, err error) {
	parts := strings.Split(s, ":")
	if len(parts) != len(m) {
		return m, fmt.Errorf("%q is not a hardware address like 52:54:00:12:34:01", s)
	}
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 16, 8)
		if err != nil || len(p) > 2 {
			return m, fmt.Errorf("%q is not a hardware address like 52:54:00:12:34:01", s)
		}
		m[i] = byte(v)
	}
	return m, nil
}

// ParsePrefix reads an address with the length of its network: 192.168.1.1/28.
func ParsePrefix(s string) (a, mask proto.Addr, err error) {
	bad := fmt.Errorf("%q is not an address with a prefix length like 192.168.1.1/28", s)
	dotted, bits, ok := strings.Cut(s, "/")
	n, e := strconv.ParseUint(bits, 10, 8)
	parts := strings.Split(dotted, ".")
	if !ok || e != nil || n > 32 || len(parts) != 4 {
		return 0, 0, bad
	}
	for _, p := range parts {
		v, err := strconv.ParseUint(p, 10, 8)
		if err != nil {
			return 0, 0, bad
		}
		a = a<<8 | proto.Addr(v)
	}
	if n > 0 {
		mask = proto.Limited << (32 - n)
	}
	return a, mask, nil
}
