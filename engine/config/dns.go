package config

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// zone reads "zone NAME { primary …; key …; }". The syntax is checked; nothing
// of it has an effect, since there are no DNS updates.
func (p *parser) zone(_ *body, head token) bool {
	p.ignore(&head, "zone")
	name, ok := p.hostName("the name of the zone", "write zone NAME. { primary ADDRESS; }")
	if !ok || !p.enter(head, "zone "+name) {
		return false
	}
	seen := map[string]bool{}
	for p.tok.kind != tokenEnd && !p.at("}") {
		if !p.zoneSetting(seen) || !p.semicolon() {
			p.recover()
		}
	}
	p.leave()
	return true
}

// zoneSetting reads one setting up to its semicolon.
func (p *parser) zoneSetting(seen map[string]bool) bool {
	t := p.tok
	switch t.word {
	case "primary", "secondary", "primary6", "secondary6", "key":
	default:
		return p.fail(&t, fmt.Sprintf("there is no setting %s of a zone", t.describe()), "a zone has primary, secondary and key")
	}
	p.advance()
	if seen[t.word] {
		return p.fail(&t, fmt.Sprintf("a second %s in this zone", t.word), "delete one of them, or separate servers by commas")
	}
	seen[t.word] = true
	if t.is("key") {
		return p.zoneKey()
	}
	for {
		if strings.HasSuffix(t.word, "6") {
			if _, ok := p.address6(); !ok {
				return false
			}
		} else if _, ok := p.addressOrName(); !ok {
			return false
		}
		if !p.accept(",") {
			return true
		}
	}
}

// zoneKey reads the name of a key that is declared above.
func (p *parser) zoneKey() bool {
	t := p.tok
	name, ok := t.text, true
	if t.kind == tokenString {
		p.advance()
	} else if name, ok = p.hostName("the name of a key", "write key NAME;"); !ok {
		return false
	}
	if !p.keys[strings.ToLower(name)] {
		return p.fail(&t, fmt.Sprintf("there is no key %s above this line", quoteShort(name)), "declare the key first")
	}
	return true
}

// key reads "key NAME { algorithm …; secret …; }", after which a semicolon may
// stand.
func (p *parser) key(_ *body, head token) bool {
	p.ignore(&head, "key")
	name, ok := p.tok.text, true
	if p.tok.kind == tokenString {
		p.advance()
	} else if name, ok = p.hostName("the name of the key", "write key NAME { algorithm hmac-md5; secret …; }"); !ok {
		return false
	}
	if !p.enter(head, "key "+name) {
		return false
	}
	seen := map[string]bool{}
	for p.tok.kind != tokenEnd && !p.at("}") {
		if !p.keySetting(seen) || !p.semicolon() {
			p.recover()
		}
	}
	p.leave()
	if !seen["secret"] || !seen["algorithm"] {
		p.fail(&head, "a key needs an algorithm and a secret", "write key NAME { algorithm hmac-md5; secret …; }")
	}
	p.keys[strings.ToLower(name)] = true
	p.accept(";")
	return true
}

// keySetting reads one setting up to its semicolon.
func (p *parser) keySetting(seen map[string]bool) bool {
	t := p.tok
	if !t.is("algorithm") && !t.is("secret") {
		return p.fail(&t, fmt.Sprintf("there is no setting %s of a key", t.describe()), "a key has algorithm and secret")
	}
	p.advance()
	if seen[t.word] {
		return p.fail(&t, fmt.Sprintf("a second %s in this key", t.word), "delete one of them")
	}
	seen[t.word] = true
	if t.is("secret") {
		return p.secret()
	}
	_, ok := p.hostName("the name of an algorithm", "write algorithm hmac-md5;")
	return ok
}

// secret reads base64, which may be quoted or come as several tokens.
func (p *parser) secret() bool {
	t := p.tok
	var b strings.Builder
	for p.tok.kind != tokenEnd && !p.at(";") && !p.at("}") && !p.at("{") {
		b.WriteString(p.advance().text)
	}
	t.end = p.last.end
	text := strings.TrimRight(b.String(), "=")
	data, err := base64.RawStdEncoding.Strict().DecodeString(text)
	if err != nil || len(data) == 0 {
		return p.fail(&t, "the secret is not base64", "copy it again from where it was made")
	}
	return true
}

// leaseIDFormat reads "lease-id-format octal|hex;".
func (p *parser) leaseIDFormat(_ *body, head token) bool {
	p.ignore(&head, head.word)
	if !p.accept("octal") && !p.accept("hex") {
		return p.fail(&p.tok, fmt.Sprintf("expected octal or hex, found %s", p.tok.describe()), "write octal or hex, or delete the statement")
	}
	return p.semicolon()
}

// dbTimeFormat reads "db-time-format default|local;".
func (p *parser) dbTimeFormat(_ *body, head token) bool {
	p.ignore(&head, head.word)
	if !p.accept("default") && !p.accept("local") {
		return p.fail(&p.tok, fmt.Sprintf("expected default or local, found %s", p.tok.describe()), "write default or local, or delete the statement")
	}
	return p.semicolon()
}
