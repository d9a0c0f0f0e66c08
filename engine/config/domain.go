package config

import (
	"errors"
	"strings"
)

// The ways in which a domain name cannot be encoded (RFC 1035 section 2.3.4).
var (
	errLabelEmpty = errors.New("has two dots in a row or begins with one")
	errLabelLong  = errors.New("has a part of more than 63 bytes")
	errNameLong   = errors.New("is longer than 255 bytes")
	errEscape     = errors.New("has a backslash that is not followed by a character or three digits up to 255")
)

// domainLabels cuts a domain name into its labels. A backslash takes the next
// character as it is, or three decimal digits as a byte; one dot at the end is
// the root and no label.
func domainLabels(name string) ([]string, error) {
	var c labelCutter
	for i := 0; i < len(name) && c.err == nil; i++ {
		switch b := name[i]; {
		case b == '\\':
			var n int
			b, n, c.err = domainEscape(name[i+1:])
			c.label = append(c.label, b)
			i += n
		case b != '.':
			c.label = append(c.label, b)
		case len(c.label) == 0 && name != ".":
			c.err = errLabelEmpty
		default:
			c.end()
		}
	}
	c.end()
	return c.labels, c.err
}

// labelCutter collects the labels of one name.
type labelCutter struct {
	labels []string
	label  []byte // the one being read
	length int    // of the labels with their length bytes
	err    error
}

// end completes a label, if one has begun.
func (c *labelCutter) end() {
	if len(c.label) == 0 || c.err != nil {
		return
	}
	c.length += 1 + len(c.label)
	switch {
	case len(c.label) > 63:
		c.err = errLabelLong
	case c.length+1 > 255: // and the root's zero byte
		c.err = errNameLong
	}
	c.labels = append(c.labels, string(c.label))
	c.label = c.label[:0]
}

// domainEscape reads what follows a backslash: the byte, and how much of s it
// took.
func domainEscape(s string) (b byte, n int, err error) {
	if s == "" {
		return 0, 0, errEscape
	}
	if !isDigit(s[0]) {
		return s[0], 1, nil
	}
	if len(s) < 3 || !isDigit(s[1]) || !isDigit(s[2]) {
		return 0, 0, errEscape
	}
	v := int(s[0]-'0')*100 + int(s[1]-'0')*10 + int(s[2]-'0')
	if v > 255 {
		return 0, 0, errEscape
	}
	return byte(v), 3, nil
}

// domainEncoder appends domain names in wire form (RFC 1035 section 3.1) to one
// option value. With compression, a tail that the value already holds becomes a
// pointer to it (RFC 3397 section 2, RFC 1035 section 4.1.4).
type domainEncoder struct {
	data     []byte
	compress bool
	tails    map[string]int // tail in lower case, by its offset in data
}

func (e *domainEncoder) append(name string) error {
	labels, err := domainLabels(name)
	if err != nil {
		return err
	}
	// The longest tail that was written before is the first one found.
	for i := range labels {
		if e.compress && e.pointTo(tailKey(labels[i:])) {
			return nil
		}
		e.data = append(e.data, byte(len(labels[i])))
		e.data = append(e.data, labels[i]...)
	}
	e.data = append(e.data, 0)
	return nil
}

// pointTo writes a pointer to a tail that was written before, or notes that the
// tail will be at the end of data now. A pointer reaches the first 16 KiB.
func (e *domainEncoder) pointTo(key string) bool {
	if at, ok := e.tails[key]; ok {
		e.data = append(e.data, 0xc0|byte(at>>8), byte(at))
		return true
	}
	if e.tails == nil {
		e.tails = map[string]int{}
	}
	if len(e.data) < 1<<14 {
		e.tails[key] = len(e.data)
	}
	return false
}

// tailKey makes a map key of labels; lengths keep escaped dots apart.
func tailKey(labels []string) string {
	var b strings.Builder
	for _, l := range labels {
		b.WriteByte(byte(len(l)))
		b.WriteString(strings.ToLower(l))
	}
	return b.String()
}
