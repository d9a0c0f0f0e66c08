package view_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bootstorm/engine/view"
)

func TestOnlyOurOwnNamesAreAnswered(t *testing.T) {
	plain := newRig(t)
	named := newRig(t, func(o *view.Options) { o.Hosts = []string{"192.168.1.1", "Node0.example", "[fd00::1]"} })
	open := newRig(t, func(o *view.Options) { o.Hosts = []string{"0.0.0.0"} })
	for _, c := range []struct {
		host               string
		plain, named, open bool
	}{
		{"127.0.0.1:8067", true, true, true},
		{"127.3.2.1", true, true, true},
		{"localhost:8067", true, true, true},
		{"LocalHost", true, true, true},
		{"localhost.:8067", true, true, true},
		{"[::1]:8067", true, true, true},
		{"[::ffff:127.0.0.1]", true, true, true},
		{"192.168.1.1:8067", false, true, true},
		{"node0.example:8067", false, true, false},
		{"[fd00::1]:8067", false, true, true},
		{"10.9.9.9", false, false, true},
		{"evil.example:8067", false, false, false},
		{"127.0.0.1.evil.example", false, false, false},
		{"localhost.evil.example", false, false, false},
		{"", false, false, false},
		{":8067", false, false, false},
		{"[fe80::1%eth0]", false, false, false},
	} {
		for _, r := range []struct {
			*rig
			ok bool
		}{{plain, c.plain}, {named, c.named}, {open, c.open}} {
			w := r.ask("GET", "/api/page", "", "Host", c.host)
			if r.ok && w.Code != http.StatusOK {
				t.Errorf("Host %q: answered %d %s", c.host, w.Code, w.Body)
			} else if !r.ok {
				r.refused(w, http.StatusMisdirectedRequest, "is not called")
			}
		}
	}
}

// A name that a stranger's web site points here gets not even the page.
func TestRebindingGetsNothing(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/", "/app.js", "/api/summary", "/api/events", "/metrics", "/healthz"} {
		r.refused(r.ask("GET", path, "", "Host", "evil.example"), http.StatusMisdirectedRequest, "evil.example")
	}
}

func TestUnixSocketNeedsNoHost(t *testing.T) {
	r := newRig(t)
	q := httptest.NewRequest("GET", "/api/page", nil)
	q.Host = "bootstorm"
	q = q.WithContext(context.WithValue(q.Context(), http.LocalAddrContextKey, &net.UnixAddr{Name: "/run/view.sock", Net: "unix"}))
	w := httptest.NewRecorder()
	if r.handler.ServeHTTP(w, q); w.Code != http.StatusOK {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

func TestOtherSitesMayLinkButNotRead(t *testing.T) {
	r := newRig(t)
	for _, site := range []string{"cross-site", "same-site"} {
		r.refused(r.ask("GET", "/api/summary", "", "Sec-Fetch-Site", site, "Sec-Fetch-Mode", "no-cors"), http.StatusForbidden, "Another web site")
		if w := r.ask("GET", "/", "", "Sec-Fetch-Site", site, "Sec-Fetch-Mode", "navigate"); w.Code != http.StatusOK {
			t.Errorf("a link from elsewhere: %d", w.Code)
		}
	}
	if w := r.ask("GET", "/api/summary", "", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors"); w.Code != http.StatusOK {
		t.Errorf("our own page: %d", w.Code)
	}
}

const boot = `{"node":"node_1","file":"rescue.ipxe","once":true}`

func TestChangesNeedTheTokenAndOurOwnOrigin(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		words   string
		headers []string
	}{
		"no token":          {401, "/run/bootstorm/eth1/token", []string{}},
		"wrong token":       {401, "needs the token", []string{"Authorization", "Bearer wrong"}},
		"empty token":       {401, "needs the token", []string{"Authorization", "Bearer "}},
		"another scheme":    {401, "needs the token", []string{"Authorization", "Basic " + secret}},
		"cross-site":        {403, "Another web site", []string{"Authorization", "Bearer " + secret, "Sec-Fetch-Site", "cross-site"}},
		"same-site":         {403, "Another web site", []string{"Authorization", "Bearer " + secret, "Sec-Fetch-Site", "same-site"}},
		"a foreign origin":  {403, "Another web site", []string{"Authorization", "Bearer " + secret, "Origin", "http://evil.example"}},
		"the null origin":   {403, "Another web site", []string{"Authorization", "Bearer " + secret, "Origin", "null"}},
		"another port":      {403, "Another web site", []string{"Authorization", "Bearer " + secret, "Origin", "http://127.0.0.1:9999"}},
		"a rebound name":    {421, "is not called", []string{"Authorization", "Bearer " + secret, "Host", "evil.example"}},
		"navigation to it":  {403, "Another web site", []string{"Authorization", "Bearer " + secret, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}},
		"a form's type":     {415, "must be JSON", []string{"Authorization", "Bearer " + secret, "Content-Type", "application/x-www-form-urlencoded"}},
		"a form's plain":    {415, "must be JSON", []string{"Authorization", "Bearer " + secret, "Content-Type", "text/plain"}},
		"no type":           {415, "must be JSON", []string{"Authorization", "Bearer " + secret, "Content-Type", ""}},
		"token in a cookie": {401, "needs the token", []string{"Cookie", "token=" + secret}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.refused(r.ask("POST", "/control/boot", boot, append([]string{"Content-Type", "application/json"}, c.headers...)...), c.status, c.words)
			if done := r.engine.Orders(); len(done) > 0 {
				t.Errorf("it was done all the same: %q", done)
			}
		})
	}
}

func TestWithoutTokenNothingChanges(t *testing.T) {
	r := newRig(t, func(o *view.Options) { o.Token = "" })
	r.refused(r.ask("POST", "/control/reload", "", "Authorization", "Bearer "), http.StatusForbidden, "as root")
	if p := get[map[string]string](r, "/api/page"); p["token_path"] != "" {
		t.Errorf("the page names a token that is not there: %v", p)
	}
}

func TestChangesWithTheToken(t *testing.T) {
	r := newRig(t)
	ok := []string{"Authorization", "Bearer " + secret, "Content-Type", "application/json; charset=utf-8", "Sec-Fetch-Site", "same-origin", "Origin", "http://127.0.0.1:8067"}
	for _, c := range [][3]string{{"POST", "/control/boot", boot}, {"DELETE", "/control/boot/node_1", ""}, {"POST", "/control/reload", ""}} {
		if w := r.ask(c[0], c[1], c[2], ok...); w.Code != http.StatusOK {
			t.Errorf("%s %s: %d %s", c[0], c[1], w.Code, w.Body)
		}
	}
	want := "boot node_1 rescue.ipxe once=true, boot node_1  once=false, reload"
	if got := strings.Join(r.engine.Orders(), ", "); got != want {
		t.Errorf("done: %q, not %q", got, want)
	}
	r.refused(r.ask("POST", "/control/boot", `{"node":"a","file":"missing.ipxe"}`, ok...), http.StatusUnprocessableEntity, "put it there")
	for _, body := range []string{``, `{}`, `{"node":"a"}`, `{"node":"a","file":"b","twice":1}`, boot + boot, `[]`, `{"node":"` + strings.Repeat("x", 5000) + `","file":"b"}`} {
		r.refused(r.ask("POST", "/control/boot", body, ok...), http.StatusBadRequest, "")
	}
	for _, path := range []string{"/control/boot", "/control/reload"} {
		if w := r.ask("GET", path, "", ok...); w.Code != http.StatusMethodNotAllowed {
			t.Errorf("GET %s: %d", path, w.Code)
		}
	}
}

// The control socket's mode is its guard.
func TestControlSocketNeedsNoToken(t *testing.T) {
	r := newRig(t)
	c := view.NewControl(r.engine)
	q := httptest.NewRequest("POST", "/control/boot", strings.NewReader(boot))
	q.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	if c.ServeHTTP(w, q); w.Code != http.StatusOK || len(r.engine.Orders()) != 1 {
		t.Errorf("answered %d %s, done %q", w.Code, w.Body, r.engine.Orders())
	}
	w = httptest.NewRecorder()
	if c.ServeHTTP(w, httptest.NewRequest("GET", "/api/summary", nil)); w.Code != http.StatusNotFound {
		t.Errorf("the control socket shows more than control: %d", w.Code)
	}
}

func TestTokenIsItsOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	token, err := view.NewToken(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	data, _ := os.ReadFile(path)
	again, _ := view.NewToken(path)
	if info.Mode() != 0o600 || strings.TrimSpace(string(data)) != token || len(token) < 32 || again == token {
		t.Errorf("mode %v, %q in the file, tokens %q and %q", info.Mode(), data, token, again)
	}
	if _, err := view.NewToken(filepath.Join(t.TempDir(), "no", "token")); err == nil || !strings.Contains(err.Error(), "no token for the page") {
		t.Errorf("a directory that is not there: %v", err)
	}
}

func TestEveryAnswerForbidsEmbedding(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/", "/style.css", "/api/summary", "/nothing", "/metrics"} {
		h := r.ask("GET", path, "").Header()
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %s", path, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cross-Origin-Resource-Policy") != "same-origin" ||
			h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", path, h)
		}
	}
}
