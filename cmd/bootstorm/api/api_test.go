package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bootstorm/cmd/bootstorm/api"
	"bootstorm/cmd/bootstorm/api/apitest"
	"bootstorm/engine/story"
)

// daemon starts a made-up daemon and returns its run directory.
func daemon(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		site := apitest.New(300)
		site.Set(apitest.PowerOn() + 40*time.Second)
		s, err := apitest.Start(site, dir, name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
	}
	return dir
}

// Every resource is fetched and decoded, over the socket of the only daemon and
// over HTTP.
func TestAsksADaemon(t *testing.T) {
	dir := daemon(t, "bond0")
	site := apitest.New(300)
	site.Set(apitest.PowerOn() + 40*time.Second)
	page := httptest.NewServer((&apitest.Server{}).Serve(site))
	defer page.Close()
	for _, target := range []api.Target{{RunDir: dir}, {RunDir: filepath.Join(dir, "bond0")}, {RunDir: dir, Interface: "bond0"}, {HTTP: page.URL}, {HTTP: strings.TrimPrefix(page.URL, "http://")}} {
		c, err := api.Open(target)
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		s, err := c.Summary(ctx)
		if err != nil || s.Nodes != 300 || s.States[story.StateStuck] != 3 {
			t.Fatalf("summary: %v, %d nodes, %v", err, s.Nodes, s.States)
		}
		list, total, err := c.Nodes(ctx, story.Query{State: story.StateStuck, Sort: "name", From: 1, Limit: 2})
		if err != nil || total != 3 || len(list) != 2 || list[0].State != story.StateStuck {
			t.Errorf("nodes: %v, %d of %d", err, len(list), total)
		}
		n, err := c.Node(ctx, list[1].MAC)
		if err != nil || n.MAC != list[1].MAC || len(n.Steps) == 0 {
			t.Errorf("node: %v, %+v", err, n)
		}
		if text, err := c.Explain(ctx, n.MAC); err != nil || !strings.HasPrefix(text, "DISCOVER of "+n.MAC) {
			t.Errorf("explain: %v, %q", err, text)
		}
		if h, err := c.History(ctx); err != nil || len(h) != 121 || h[120].Stuck != 3 {
			t.Errorf("history: %v, %d samples", err, len(h))
		}
		for _, who := range []string{"", n.MAC} {
			var b bytes.Buffer
			if err := c.Capture(ctx, who, &b); err != nil || b.String() != "capture" {
				t.Errorf("capture %q: %v, %q", who, err, &b)
			}
		}
		if _, err := c.Node(ctx, "nobody"); !errors.Is(err, api.ErrNoNode) {
			t.Errorf("a node that does not exist: %v", err)
		}
	}
}

// A daemon that cannot be asked is told apart from one that is ill, and the
// message says what to do.
func TestSaysWhyThereIsNoDaemonToAsk(t *testing.T) {
	empty, two, stale := t.TempDir(), daemon(t, "bond0", "eth1"), t.TempDir()
	s, err := apitest.Start(apitest.New(1), stale, "bond0")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(stale, "bond0", "view.sock")
	if err := os.Rename(path, path+"~"); err != nil { // closing removes the name it was opened by
		t.Fatal(err)
	}
	s.Close()
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
	ended := t.TempDir()
	for _, name := range []string{"bond0", "eth1"} {
		path := filepath.Join(ended, name, "view.sock")
		if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		l.Close()
	}
	for _, c := range []struct {
		target api.Target
		words  []string
	}{
		{api.Target{RunDir: ended}, []string{"no daemon runs here any more", "bond0, eth1", "systemctl start"}},
		{api.Target{HTTP: "nosuchhost.invalid"}, []string{"nosuchhost.invalid:8067: the name nosuchhost.invalid has no address"}},
		{api.Target{RunDir: empty}, []string{"no daemon runs here", empty, "systemctl start"}},
		{api.Target{RunDir: empty, Interface: "bond0"}, []string{"no daemon runs on bond0", "systemctl start bootstorm@bond0"}},
		{api.Target{RunDir: two}, []string{"several daemons", "--interface bond0, or --interface eth1"}},
		{api.Target{RunDir: stale}, []string{"the daemon on bond0 does not run any more", "journalctl -u bootstorm@bond0"}},
		{api.Target{HTTP: "127.0.0.1:1"}, []string{"nobody listens at 127.0.0.1:1"}},
	} {
		client, err := api.Open(c.target)
		if err == nil {
			_, err = client.Summary(context.Background())
		}
		var none *api.UnreachableError
		if !errors.As(err, &none) {
			t.Errorf("%+v: %v is no UnreachableError", c.target, err)
			continue
		}
		for _, w := range c.words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%+v: %v\nlacks %q", c.target, err, w)
			}
		}
	}
	if _, err := api.Open(api.Target{RunDir: empty, Interface: "../etc"}); err == nil {
		t.Error("a path was taken for an interface")
	}
}

// The next request after a restart finds the new daemon.
func TestFindsTheDaemonAgainAfterItsRestart(t *testing.T) {
	dir := t.TempDir()
	s, err := apitest.Start(apitest.New(1), dir, "bond0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := api.Open(api.Target{RunDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Summary(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := c.Summary(context.Background()); err == nil {
		t.Fatal("a dead daemon answered")
	}
	s, err = apitest.Start(apitest.New(1), dir, "bond0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := c.Summary(context.Background()); err != nil {
		t.Error(err)
	}
}

// A view that has heard nothing of the engine says "0 nodes, ok": that is no answer.
func TestViewThatHasHeardNothing(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(story.NewBook(10).Summary(time.Now()))
	}))
	defer page.Close()
	c, err := api.Open(api.Target{HTTP: page.URL})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Summary(t.Context()); err == nil || !strings.Contains(err.Error(), "has told nothing yet") || !strings.Contains(err.Error(), page.URL[7:]) {
		t.Error(err)
	}
}
