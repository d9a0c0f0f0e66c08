// Package text words numbers for people at a terminal: short, of one
// width where it can be, and free of what a terminal would take for a command.
package text

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// Bytes writes a size in powers of 1000, with three digits at most.
func Bytes(n float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	i := 0
	for ; n >= 999.5 && i < len(units)-1; i++ {
		n /= 1000
	}
	if i > 0 && n < 9.95 {
		return fmt.Sprintf("%.1f %s", n, units[i])
	}
	return fmt.Sprintf("%.0f %s", n, units[i])
}

// Rate writes a number per second: small ones with a digit after the point, so
// that "some" is not shown as none.
func Rate(v float64) string {
	if v > 0 && v < 9.95 {
		return fmt.Sprintf("%.1f", v)
	}
	return Count(int64(v + 0.5))
}

// Count writes a number with its thousands apart.
func Count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// Nodes writes a number of nodes.
func Nodes(n int) string {
	if n == 1 {
		return "1 node"
	}
	return Count(int64(n)) + " nodes"
}

// Clean replaces what a terminal should not see, line ends included: host names
// and file names come from the network.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// Fit makes a text exactly so many columns wide: filled with spaces, or cut with
// a mark that it was.
func Fit(s string, width int) string {
	if width <= 0 {
		return ""
	}
	s = ansi.Truncate(s, width, "~")
	return s + strings.Repeat(" ", max(0, width-ansi.StringWidth(s)))
}

// Right is Fit with the spaces in front.
func Right(s string, width int) string {
	s = ansi.Truncate(s, max(0, width), "~")
	return strings.Repeat(" ", max(0, width-ansi.StringWidth(s))) + s
}

// Wrap breaks a text into lines of at most so many columns, between words where
// there are any.
func Wrap(s string, width int) []string {
	return strings.Split(ansi.Wrap(s, max(1, width), ""), "\n")
}
