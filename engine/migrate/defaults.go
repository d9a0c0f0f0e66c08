package migrate

import (
	"strings"
)

// assignment is a line NAME=VALUE of a file that a shell reads, as those in
// /etc/default are.
type assignment struct {
	line        int
	name, value string
	text        string
}

// assignments reads a file of /etc/default. Of the shell's language it knows
// what these files use: comments, quotes, and a backslash before a quote.
func assignments(text string) (list []assignment) {
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		trimmed = strings.TrimPrefix(trimmed, "export ")
		name, value, ok := strings.Cut(trimmed, "=")
		if !ok || strings.HasPrefix(trimmed, "#") || strings.ContainsAny(name, " \t") {
			continue
		}
		list = append(list, assignment{i + 1, name, unquote(value), trimmed})
	}
	return list
}

// unquote takes the value of an assignment out of its quotes, and a comment off.
func unquote(v string) string {
	var b strings.Builder
	var quote rune
	for i, c := range v {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			b.WriteRune(c)
		case c == '"' || c == '\'':
			quote = c
		case c == '#' && (i == 0 || v[i-1] == ' ' || v[i-1] == '\t'):
			return strings.TrimSpace(b.String())
		default:
			b.WriteRune(c)
		}
	}
	return strings.TrimSpace(b.String())
}

const tftpdHpa = "/etc/default/tftpd-hpa"

// readTftpdHpa reads the settings of tftpd-hpa, which dhcpd is paired with, and
// which a dnsmasq without enable-tftp may be.
func (h *host) readTftpdHpa() error {
	text, ok, err := h.read(tftpdHpa)
	if err != nil || !ok {
		return err
	}
	for _, a := range assignments(text) {
		switch a.name {
		case "TFTP_DIRECTORY":
			h.takeRoot(tftpdHpa, a.line, a.text, a.value)
		case "TFTP_USERNAME":
			h.note(tftpdHpa, a.line, a.text, Needless, "the daemon runs as its own user, bootstorm, who must be able to read the boot files")
		case "TFTP_ADDRESS":
			if i := strings.LastIndexByte(a.value, ':'); i >= 0 && a.value[i+1:] != "69" && a.value[i+1:] != "tftp" {
				h.note(tftpdHpa, a.line, a.text, Lost, "TFTP is served on port 69 alone, which is where firmware looks")
			} else {
				h.note(tftpdHpa, a.line, a.text, Needless, "TFTP is served on every address of the interface, port 69")
			}
		case "TFTP_OPTIONS":
			h.tftpdOptions(a)
		default:
			h.note(tftpdHpa, a.line, a.text, Needless, "it concerns how tftpd-hpa is started")
		}
	}
	return nil
}

// takeRoot takes the directory of the boot files, once.
func (h *host) takeRoot(file string, line int, text, dir string) {
	dir = strings.TrimRight(dir, "/")
	switch {
	case dir == "":
		h.note(file, line, text, Lost, "it names no directory")
	case h.TFTPRoot != "" && h.TFTPRoot != dir:
		h.note(file, line, text, Lost, "boot files are served from one directory, and that is %s: put the files together there", h.TFTPRoot)
	default:
		h.TFTPRoot = dir
		h.note(file, line, text, Taken, "boot files are served from %s", dir)
		if !exists(h.path(dir)) {
			h.note(file, line, text, Lost, "%s does not exist: make it and put the boot files there", dir)
		}
	}
}

// tftpdOptions goes through flags of in.tftpd(8).
func (h *host) tftpdOptions(a assignment) {
	fields := strings.Fields(a.value)
	if len(fields) == 0 {
		h.note(tftpdHpa, a.line, a.text, Needless, "no flags")
	}
	for i := 0; i < len(fields); i++ {
		flag, value, joined := strings.Cut(fields[i], "=")
		argument := func() string {
			if !joined && i+1 < len(fields) {
				i++
				value = fields[i]
			}
			return value
		}
		switch flag {
		case "--secure", "-s":
			h.note(tftpdHpa, a.line, flag, Needless, "names are always below the directory")
		case "--create", "-c":
			h.note(tftpdHpa, a.line, flag, Lost, "TFTP is read only: what writes to this server needs another")
		case "--map-file", "-m":
			h.note(tftpdHpa, a.line, flag+" "+argument(), Lost, "file names are not rewritten (other case, backslashes and the root's own path are understood): make links with the names that clients ask for")
		case "--blocksize", "-B":
			h.note(tftpdHpa, a.line, flag+" "+argument(), Needless, "the block size follows the interface's MTU")
		case "--address", "-a", "--port-range", "-R", "--retransmit", "-T", "--timeout", "-t", "--user", "-u", "--permissive", "-p",
			"--verbose", "-v", "-vv", "-vvv", "--verbosity", "--listen", "-l", "--foreground", "-L", "--ipv4", "-4", "--umask", "-U", "--pidfile", "-P":
			if strings.Contains(" --address -a --port-range -R --retransmit -T --timeout -t --user -u --verbosity --umask -U --pidfile -P ", " "+flag+" ") {
				flag += " " + argument()
			}
			h.note(tftpdHpa, a.line, flag, Needless, "no such setting is needed")
		case "--refuse", "-r":
			h.note(tftpdHpa, a.line, flag+" "+argument(), Lost, "options are not refused one by one; a client gets those that it asks for")
		default:
			h.note(tftpdHpa, a.line, fields[i], Lost, "unknown flag or directory: name a directory with --tftp-root")
		}
	}
}
