package view

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// tokenBytes makes a token that cannot be guessed.
const tokenBytes = 24

// NewToken makes a token and writes it to path, readable by its owner alone. A
// file of an earlier start is replaced.
func NewToken(path string) (string, error) {
	b := make([]byte, tokenBytes)
	rand.Read(b)
	token := hex.EncodeToString(b)
	// A new file put in place: never one that another user made or may read.
	f, err := os.CreateTemp(filepath.Dir(path), ".token-*") // made with mode 0600
	if err != nil {
		return "", fmt.Errorf("no token for the page: %w", err)
	}
	_, err = f.WriteString(token + "\n")
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("no token for the page: %w", err)
	}
	return token, nil
}

// guard decides who may ask.
type guard struct {
	names  map[string]bool // besides loopback
	anyIP  bool            // the server listens on all addresses
	token  [sha256.Size]byte
	locked bool // no token: no state changes
	path   string
	cross  *http.CrossOriginProtection
}

func newGuard(o Options) *guard {
	g := &guard{names: map[string]bool{}, token: sha256.Sum256([]byte(o.Token)), locked: o.Token == "", path: o.TokenPath,
		cross: http.NewCrossOriginProtection()}
	for _, h := range o.Hosts {
		h = strings.Trim(strings.ToLower(h), "[]")
		if a, err := netip.ParseAddr(h); err == nil && a.IsUnspecified() {
			g.anyIP = true
		}
		g.names[h] = true
	}
	return g
}

// hostAllowed tells whether a Host header names this server. A web site that
// points its own name at our address (DNS rebinding) sends that name here.
func (g *guard) hostAllowed(header string) bool {
	host := header
	if h, _, err := net.SplitHostPort(header); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if host == "localhost" || g.names[host] {
		return host != ""
	}
	a, err := netip.ParseAddr(host)
	return err == nil && (a.Unmap().IsLoopback() || g.anyIP && a.Zone() == "")
}

// overUnixSocket tells whether the request came over a Unix socket, where no
// browser can come from and the Host header means nothing.
func overUnixSocket(ctx context.Context) bool {
	a, ok := ctx.Value(http.LocalAddrContextKey).(net.Addr)
	return ok && a.Network() == "unix"
}

// refusal is why a request is not answered: a status and words for the operator.
type refusal struct {
	status int
	text   string
}

// look checks what holds for every request.
func (g *guard) look(r *http.Request) *refusal {
	if overUnixSocket(r.Context()) {
		return nil
	}
	if !g.hostAllowed(r.Host) {
		return &refusal{http.StatusMisdirectedRequest, fmt.Sprintf("This server is not called %q, so the request is not answered: it may come from a web site that "+
			"pretends to be it. Open it by its address, as http://127.0.0.1:PORT/, or start it with --http and the address that you use.", clip(r.Host))}
	}
	// Another site may link to the page, but not read or embed what it shows.
	site := r.Header.Get("Sec-Fetch-Site")
	if site != "" && site != "same-origin" && site != "none" && r.Header.Get("Sec-Fetch-Mode") != "navigate" {
		return &refusal{http.StatusForbidden, "Another web site asked for this through your browser. Only this server's own page may."}
	}
	return nil
}

// change checks what holds for requests that change something: own origin,
// JSON, and the token.
func (g *guard) change(r *http.Request) *refusal {
	if err := g.cross.Check(r); err != nil {
		return &refusal{http.StatusForbidden, "Another web site tried to change something through your browser. Only this server's own page may."}
	}
	if g.locked {
		return &refusal{http.StatusForbidden, "Nothing can be changed from here: no token was made at start. Use the bootstorm command on this machine as root."}
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	sum := sha256.Sum256([]byte(given))
	if !ok || subtle.ConstantTimeCompare(sum[:], g.token[:]) != 1 {
		return &refusal{http.StatusUnauthorized, fmt.Sprintf("This changes something and needs the token in %s, which root can read.", g.path)}
	}
	return nil
}

// clip shortens what a stranger sent before it is shown.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
