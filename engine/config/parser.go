package config

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"bootstorm/engine/reason"
	"bootstorm/proto"
)

// Options says how a configuration reaches the world outside its text.
type Options struct {
	Resolve  func(name string) ([]proto.Addr, error) // nil: the system's resolver, 2 s per name
	ReadFile func(name string) ([]byte, error)       // nil: from disk
}

// ParseFile reads a configuration file and what it includes. The tree is never
// nil; its Findings say what is wrong, sorted by file and position.
func ParseFile(path string, o Options) *Tree {
	read := o.ReadFile
	if read == nil {
		read = readFile
	}
	text, err := read(path)
	if err != nil {
		t := &Tree{Root: &Scope{Kind: ScopeGlobal}, Universe: newUniverse()}
		t.Sources = []Source{{Name: path}}
		t.Findings = []Finding{{Pos: Pos{path, 1, 1}, Severity: Error, Width: 1,
			Message: "the configuration cannot be read: " + reason.Of(err).Error(),
			Remedy:  remedy(path, err)}}
		return t
	}
	return ParseText(path, text, o)
}

// remedy is what to do about a file that cannot be read. Files for dhcpd that
// hold a key are often its own user's or group's.
func remedy(path string, err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "whoever reads it needs the right to, and the server is the user bootstorm: chgrp bootstorm " + path + " && chmod g+r " + path
	}
	return "give the path of a dhcpd.conf"
}

// ParseText parses text as the file name would be; includes are read from disk.
func ParseText(name string, text []byte, o Options) *Tree { return newParser(o).parse(name, text) }

// parse reads everything.
func (p *parser) parse(name string, text []byte) *Tree {
	root := &Scope{Kind: ScopeGlobal, Pos: Pos{name, 1, 1}}
	p.tree.Root = root
	if p.open(name, text) {
		p.statements(&body{kind: ScopeGlobal, scope: root})
	}
	p.finish()
	return p.tree
}

// parser is the state of one parse.
type parser struct {
	tree *Tree
	lex  lexer
	tok  token // the next token, not consumed yet
	last token // the last one consumed

	readFile func(string) ([]byte, error)
	names    *resolver

	bytes, files int      // read so far
	including    []string // files being read, outermost first
	nesting      int      // braces
	exprDepth    int
	addresses    int64 // in pools
	counts       struct{ hosts, classes, subclasses, defined, networks int }
	errors       int
	warnings     int
	chain        int  // links of the else-if chain being read
	stopped      bool // too many errors
	quiet        bool // inside a construct without effect
	repeats      map[string]*repeat

	blocks  []block // open braces, outermost first
	spaces  map[string]*Space
	classes map[string]*Class
	hosts   map[string]*Scope
	groups  map[string]*Scope
	keys    map[string]bool // TSIG keys by lower-case name
	peers   map[string]bool // failover peers
	defined map[string]bool // functions

	omapiKeys []omapiKey
	macs      map[string]*Scope
	fixed     map[proto.Addr]*Scope
}

// block is an open brace with what it belongs to.
type block struct {
	what  string // "subnet 10.0.0.0", for messages
	head  token  // the word that begins the declaration
	brace token
	name  string // of the source

	closed bool // its missing brace has been reported
}

// omapiKey is the name of a key that must be declared somewhere, perhaps below.
type omapiKey struct {
	pos   Pos
	width int
	name  string
}

func newParser(o Options) *parser {
	p := &parser{
		tree:     &Tree{Universe: newUniverse()},
		readFile: o.ReadFile,
		names:    newResolver(o.Resolve),
		repeats:  map[string]*repeat{},
		spaces:   map[string]*Space{},
		classes:  map[string]*Class{},
		hosts:    map[string]*Scope{},
		groups:   map[string]*Scope{},
		keys:     map[string]bool{},
		peers:    map[string]bool{},
		defined:  map[string]bool{},
		macs:     map[string]*Scope{},
		fixed:    map[proto.Addr]*Scope{},
	}
	if p.readFile == nil {
		p.readFile = readFile
	}
	for _, s := range p.tree.Universe.Spaces {
		p.spaces[s.Name] = s
	}
	return p
}

// finish does what needs the whole configuration.
func (p *parser) finish() {
	for _, k := range p.omapiKeys {
		if !p.keys[strings.ToLower(k.name)] {
			p.add(Finding{Pos: k.pos, Severity: Error, Width: k.width,
				Message: fmt.Sprintf("there is no key %s, without which dhcpd does not start", quoteShort(k.name)),
				Remedy:  "declare the key, or delete the statement, which has no effect here"})
		}
	}
	p.tellRepeats()
	p.tree.Sort()
}

// open makes text the source of the tokens to come.
func (p *parser) open(name string, text []byte) bool {
	p.tree.Sources = append(p.tree.Sources, Source{Name: name, Text: text})
	p.bytes += len(text)
	p.files++
	ok := p.bytes <= maxBytes && p.files <= maxFiles
	if !ok {
		text = nil
	}
	p.lex = newLexer(name, text)
	p.last = token{line: 1}
	if !ok {
		p.tok = token{line: 1}
		return p.fail(&p.tok, fmt.Sprintf("the configuration is larger than %d MiB or %d files", maxBytes>>20, maxFiles),
			"split the network over several servers")
	}
	p.tok = p.lex.next()
	p.checkToken()
	return true
}

// advance consumes the next token and returns it.
func (p *parser) advance() token {
	p.last = p.tok
	if p.stopped {
		// All loops end at the end of the file, so this ends them all.
		p.lex.off = len(p.lex.src)
	}
	p.tok = p.lex.next()
	p.checkToken()
	return p.last
}

// checkToken reports what is wrong with the next token itself. The same fault
// again on one line is not told twice: quotation marks come in pairs.
func (p *parser) checkToken() {
	if p.tok.bad == "" {
		return
	}
	if list := p.tree.Findings; len(list) > 0 {
		if f := &list[len(list)-1]; f.Line == p.tok.line && f.File == p.lex.name && f.Message == p.tok.bad {
			return
		}
	}
	p.fail(&p.tok, p.tok.bad, p.tok.hint)
}

// at tells whether the next token is the punctuation or reserved word s.
func (p *parser) at(s string) bool { return p.tok.is(s) }

// accept consumes the next token if it is s.
func (p *parser) accept(s string) bool {
	if p.at(s) {
		p.advance()
		return true
	}
	return false
}

// expect consumes s or reports that it is missing; context tells where.
func (p *parser) expect(s, context, remedy string) bool {
	if p.accept(s) {
		return true
	}
	return p.fail(&p.tok, fmt.Sprintf("expected %q %s, found %s", s, context, p.tok.describe()), remedy)
}

// semicolon ends a statement. Where it is missing at the end of a line, the
// statement counts as ended: that is what was meant, and the next one is
// read as it stands.
func (p *parser) semicolon() bool {
	if p.accept(";") {
		return true
	}
	if p.tok.bad != "" || p.last.bad != "" {
		return false
	}
	if p.last.lines > 0 {
		p.fail(&p.last, "this string runs over the end of its line, and no semicolon follows it",
			"close the string with a \" on its own line")
		p.reread()
		return true
	}
	// On the same line, something is between the statement and its semicolon;
	// on the next one, a new statement begins.
	fresh := p.tok.line > p.last.line || p.at("}") || p.tok.kind == tokenEnd
	if !fresh {
		return p.fail(&p.tok, fmt.Sprintf("expected a semicolon, found %s", p.tok.describe()),
			"end the statement before it with a semicolon, or remove what does not belong here")
	}
	p.failAfter("a semicolon is missing here", "add a ; at the end of the statement")
	return true
}

// reread goes back to the end of the line on which the last token, a string
// over several lines, began: its closing quote is missing, and what it has
// swallowed are the statements to come.
func (p *parser) reread() {
	t := &p.last
	end := t.off + strings.IndexByte(p.lex.src[t.off:], '\n')
	p.lex.off, p.lex.line, p.lex.lineOff = end, t.line, t.lineOff
	t.lines, t.end = 0, end
	p.tok = p.lex.next()
	p.checkToken()
}

// recover passes the rest of a statement that has an error: to its semicolon,
// over a balanced pair of braces, or up to a brace that closes the block.
func (p *parser) recover() {
	depth := 0
	for p.tok.kind != tokenEnd {
		switch {
		case p.at("{"):
			depth++
		case p.at("}"):
			if depth == 0 {
				return
			}
			if depth--; depth == 0 {
				p.advance()
				return
			}
		case p.at(";") && depth == 0:
			p.advance()
			return
		}
		p.advance()
	}
}

// enter opens the braces of a declaration; head is its first word. The caller
// reads the body and then calls leave.
func (p *parser) enter(head token, what string) bool {
	if !p.at("{") {
		return p.expect("{", "after "+what, "open the body of the declaration with {")
	}
	brace := p.advance()
	if p.nesting++; p.nesting > maxNesting {
		p.nesting--
		return p.fail(&brace, fmt.Sprintf("declarations are nested deeper than %d", maxNesting),
			"flatten the configuration")
	}
	p.blocks = append(p.blocks, block{what: what, head: head, brace: brace, name: p.lex.name})
	return true
}

// leave consumes the closing brace of the innermost block, or says which one
// was never closed.
func (p *parser) leave() {
	b := p.blocks[len(p.blocks)-1]
	p.blocks = p.blocks[:len(p.blocks)-1]
	p.nesting--
	if b.closed || p.accept("}") || p.stopped {
		return
	}
	p.fail(&b.brace, fmt.Sprintf("the { of %s, opened here, is never closed", b.what),
		fmt.Sprintf("add the missing } (reading ended at line %d, at %s)", p.tok.line, p.tok.describe()))
}

// closesHere tells whether the next token most likely belongs outside the
// innermost block, whose closing brace was forgotten: it begins a line, no
// further right than the block's own first line.
func (p *parser) closesHere() bool {
	if len(p.blocks) == 0 || p.tok.line == p.last.line {
		return false
	}
	b := &p.blocks[len(p.blocks)-1]
	return b.name == p.lex.name && p.tok.off-p.tok.lineOff <= b.head.off-b.head.lineOff
}

// list joins words for a message: "a, b or c".
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
