package migrate

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// tags are what dnsmasq calls its conditions. A tag is set by lines that match
// the request, and by the host or the range that a client falls into. Here it is
// an expression over the request (dhcp-eval(5)).
type tags struct {
	m      *dnsmasq
	terms  map[string][]string // of each tag: expressions, one of which is true
	bad    map[string]bool     // tags that a line sets that cannot be expressed
	ranged map[string]bool     // tags that a range sets: known by the place in the configuration
}

// reads tells whether lines of that kind set tags.
func (t *tags) reads(key string) bool {
	switch key {
	case "dhcp-match", "dhcp-vendorclass", "dhcp-userclass", "dhcp-mac", "tag-if":
		return true
	}
	return false
}

// add adds an expression for a tag.
func (t *tags) add(tag, expression string) {
	if expression == "" {
		t.bad[tag] = true
		return
	}
	t.terms[tag] = append(t.terms[tag], expression)
}

// readAll takes all lines that set tags. A combination of tags comes last: what
// it is made of may stand behind it.
func (t *tags) readAll(lines []directive) {
	t.terms, t.bad, t.ranged = map[string][]string{}, map[string]bool{}, map[string]bool{}
	for _, d := range lines {
		switch d.key {
		case "dhcp-range":
			_, set, _ := cutTags(fields(d.value))
			for _, tag := range set {
				t.ranged[tag] = true
			}
		case "dhcp-host":
			r := parseHost(fields(d.value))
			for _, tag := range r.set {
				for _, mac := range r.macs {
					t.add(tag, "hardware = 1:"+mac)
				}
			}
		case "tag-if":
		default:
			t.read(d)
		}
	}
	for _, d := range lines {
		if d.key == "tag-if" {
			t.read(d)
		}
	}
}

// read takes one line, if it sets a tag.
func (t *tags) read(d directive) {
	if !t.reads(d.key) {
		return
	}
	want, set, rest := cutTags(fields(d.value))
	// The tag may stand without its prefix, as in old files.
	if len(set) == 0 && len(rest) > 0 && d.key != "tag-if" {
		set, rest = rest[:1], rest[1:]
	}
	if len(set) == 0 {
		t.m.lost(d, "it sets no tag")
		return
	}
	expression, why := "", ""
	switch d.key {
	case "tag-if":
		expression, why = t.all(want, nil), "nothing else sets a tag that it asks for, or one depends on the address"
	case "dhcp-match":
		expression, why = t.match(rest)
	case "dhcp-vendorclass":
		expression = contains("vendor-class-identifier", enterprise(rest))
		why = "it names no text"
	case "dhcp-userclass":
		expression = contains("user-class", strings.Join(rest, ","))
		why = "it names no text"
	case "dhcp-mac":
		expression, why = hardware(strings.Join(rest, ","))
	}
	for _, tag := range set {
		t.add(tag, expression)
	}
	if expression == "" {
		t.m.lost(d, "%s", why)
		return
	}
	t.m.taken(d, "the tag %s is the condition %s", strings.Join(set, ", "), expression)
}

// enterprise drops the enterprise number that a vendor class of DHCPv6 begins with.
func enterprise(rest []string) string {
	if len(rest) > 0 && strings.HasPrefix(rest[0], "enterprise:") {
		return ""
	}
	return strings.Join(rest, ",")
}

// contains is true where an option has a text somewhere in it, which is what
// dnsmasq looks for.
func contains(option, text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf("option %s ~= %q", option, regexp.QuoteMeta(text))
}

// match reads "option:client-arch,7", "175" or "60,PXEClient".
func (t *tags) match(rest []string) (expression, why string) {
	if len(rest) == 0 {
		return "", "it names no option"
	}
	code, ok := optionCode(rest[0])
	if !ok {
		return "", "the option " + rest[0] + " is not one of DHCPv4"
	}
	name := t.m.optionName(code)
	value := strings.Join(rest[1:], ",")
	switch {
	case value == "":
		return "exists " + name, ""
	case code == optArch:
		n, err := strconv.ParseUint(value, 0, 16)
		if err != nil {
			return "", "an architecture is a number"
		}
		return fmt.Sprintf("option %s = %02x:%02x", name, n>>8, n&0xff), ""
	}
	if n, err := strconv.ParseUint(value, 10, 8); err == nil && definition(code) != nil && oneByte(code) {
		return fmt.Sprintf("option %s = %02x", name, n), ""
	}
	if hexBytes.MatchString(value) {
		return fmt.Sprintf("option %s = %s", name, value), ""
	}
	return fmt.Sprintf("option %s = %q", name, value), ""
}

var hexBytes = regexp.MustCompile(`^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2})+$`)

// hardware reads a hardware address whose last bytes may be stars.
func hardware(mac string) (expression, why string) {
	list := strings.Split(mac, ":")
	if len(list) != 6 {
		return "", "it is no Ethernet address"
	}
	n := 0
	for n < 6 && list[n] != "*" {
		if _, err := strconv.ParseUint(list[n], 16, 8); err != nil {
			return "", "it is no Ethernet address"
		}
		n++
	}
	for _, star := range list[n:] {
		if star != "*" {
			return "", "a star stands before a byte: write the class by hand, with substring (hardware, …)"
		}
	}
	if n == 0 {
		return "", "it is every address"
	}
	return fmt.Sprintf("substring (hardware, 1, %d) = %s", n, strings.ToLower(strings.Join(list[:n], ":"))), ""
}

// expression is the condition of one tag, negated if it begins with an
// exclamation mark; "" if nothing sets it or it cannot be expressed.
func (t *tags) expression(tag string) string {
	name, not := strings.CutPrefix(tag, "!")
	var text string
	switch terms := t.terms[name]; {
	case t.bad[name]:
		return "" // a part of it is missing: half a condition would be another
	case name == "known":
		text = "known"
	case len(terms) == 0:
		return ""
	case len(terms) == 1:
		text = terms[0]
	default:
		text = "(" + strings.Join(terms, ") or (") + ")"
	}
	if not {
		return "not (" + text + ")"
	}
	return text
}

// all is the condition that all of the tags are set, for clients of a range that
// sets the tags of here. "" if it cannot be expressed or is never true, always
// if it needs no question.
func (t *tags) all(want, here []string) string {
	var list []string
	for _, tag := range want {
		name, not := strings.CutPrefix(tag, "!")
		if t.ranged[name] && len(t.terms[name]) == 0 {
			if slices.Contains(here, name) == not {
				return ""
			}
			continue
		}
		e := t.expression(tag)
		if e == "" {
			return ""
		}
		list = append(list, e)
	}
	switch len(list) {
	case 0:
		return always
	case 1:
		return list[0]
	}
	return "(" + strings.Join(list, ") and (") + ")"
}

// always is the condition that is true for every client.
const always = "true"

// unknown names the first tag that nothing sets, or that cannot be expressed.
func (t *tags) unknown(want []string) string {
	for _, tag := range want {
		name := strings.TrimPrefix(tag, "!")
		if !t.ranged[name] && t.expression(name) == "" {
			return name
		}
	}
	return ""
}
