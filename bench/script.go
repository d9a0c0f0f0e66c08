package bench

import (
	"bytes"
	"strings"
)

// bootServer stands for the value of ${next-server} while a script is read.
const bootServer = "next-server.invalid"

// scriptFetches runs an iPXE script as a 64-bit machine with the platform efi or
// pcbios would, and returns
// the files that it reads from the boot server, in order. It knows what the
// guide's kind of script needs: set, iseq, goto and labels, && and ||, variables,
// and the commands that fetch; a fetch succeeds. Other commands do nothing.
func scriptFetches(data []byte, platform string) []string {
	if !bytes.HasPrefix(data, []byte("#!ipxe")) {
		return nil
	}
	s := script{lines: strings.Split(string(data), "\n"), vars: map[string]string{
		"platform": platform, "buildarch": "x86_64", "next-server": bootServer}}
	for s.at = 0; s.at < len(s.lines) && s.steps < maxScriptSteps; s.at++ {
		s.line(s.lines[s.at])
	}
	return s.fetches
}

// maxScriptSteps ends a script that loops.
const maxScriptSteps = 1000

// script is an iPXE script at work.
type script struct {
	lines   []string
	at      int // index of the line in work; a jump changes it
	steps   int
	vars    map[string]string
	fetches []string
}

// line runs the commands of one line. As in iPXE's shell, && skips the next
// command after a failure and || after a success.
func (s *script) line(text string) {
	words := strings.Fields(text)
	if len(words) == 0 || strings.HasPrefix(words[0], "#") || strings.HasPrefix(words[0], ":") {
		return
	}
	ok, here := true, s.at // a jump ends the line
	run := true
	for len(words) > 0 && s.at == here {
		n := 0
		for n < len(words) && words[n] != "&&" && words[n] != "||" {
			n++
		}
		if run {
			ok = s.command(words[:n])
		}
		if n == len(words) {
			return
		}
		run = ok == (words[n] == "&&") // a command not run leaves the status as it is
		words = words[n+1:]
	}
}

// command runs one command and tells whether it succeeds.
func (s *script) command(words []string) bool {
	s.steps++
	for i, w := range words {
		words[i] = s.expand(w)
	}
	if len(words) == 0 {
		return true
	}
	switch args := words[1:]; words[0] {
	case "set":
		if len(args) > 0 {
			s.vars[args[0]] = strings.Join(args[1:], " ")
		}
	case "iseq":
		return len(args) == 2 && args[0] == args[1]
	case "goto":
		return len(args) == 1 && s.jump(args[0])
	case "exit":
		s.at = len(s.lines)
	case "imgfetch", "imgload", "initrd", "kernel", "module", "imgexec", "boot", "chain":
		s.fetch(args)
		if words[0] == "chain" || words[0] == "boot" || words[0] == "imgexec" {
			s.at = len(s.lines) // the machine has gone on to the program
		}
	}
	return true
}

// jump goes to a label; the loop over lines then steps behind it.
func (s *script) jump(label string) bool {
	for i, l := range s.lines {
		if strings.TrimSpace(l) == ":"+label {
			s.at = i
			return true
		}
	}
	return false
}

// fetch notes what a command reads from the boot server.
func (s *script) fetch(args []string) {
	for _, a := range args {
		if name, ok := strings.CutPrefix(a, "tftp://"+bootServer+"/"); ok {
			s.fetches = append(s.fetches, name)
		}
	}
}

// expand replaces ${name} by the variable's value.
func (s *script) expand(word string) string {
	for name, value := range s.vars {
		word = strings.ReplaceAll(word, "${"+name+"}", value)
	}
	return word
}
