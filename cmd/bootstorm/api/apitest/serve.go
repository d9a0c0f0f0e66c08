package apitest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"bootstorm/engine/story"
)

// Server answers for a site on the socket of an interface.
type Server struct {
	Body []byte // of a capture

	mu       sync.Mutex
	site     *Site
	asked    []story.Query // of the nodes, in order
	listener net.Listener
	http     http.Server
}

// Start serves the site below a run directory, as the daemon on that interface.
func Start(site *Site, runDir, name string) (*Server, error) {
	s := new(Server)
	s.http.Handler = s.Serve(site)
	dir := filepath.Join(runDir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", filepath.Join(dir, "view.sock"))
	if err != nil {
		return nil, err
	}
	s.listener = l
	go s.http.Serve(l)
	return s, nil
}

// Close ends the server and all its connections.
func (s *Server) Close() error {
	return errors.Join(s.listener.Close(), s.http.Close()) // both: Serve may not know its listener yet
}

// Set moves the site's clock.
func (s *Server) Set(after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.site.Set(after)
}

// Queries returns what was asked about nodes so far.
func (s *Server) Queries() []story.Query {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]story.Query(nil), s.asked...)
}

// Serve returns what answers the JSON interface for a site.
func (s *Server) Serve(site *Site) http.Handler {
	s.site = site
	if s.Body == nil {
		s.Body = []byte("capture")
	}
	m := http.NewServeMux()
	handle := func(pattern string, f func(w http.ResponseWriter, r *http.Request)) {
		m.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			f(w, r)
		})
	}
	handle("/api/summary", func(w http.ResponseWriter, _ *http.Request) { put(w, s.site.Summary()) })
	handle("/api/history", func(w http.ResponseWriter, _ *http.Request) { put(w, s.site.History()) })
	handle("/api/nodes", func(w http.ResponseWriter, r *http.Request) {
		f := r.URL.Query()
		q := story.Query{Text: f.Get("text"), State: story.State(f.Get("state")), Phase: story.Phase(f.Get("phase")), Sort: f.Get("sort")}
		q.From, _ = strconv.Atoi(f.Get("from"))
		q.Limit, _ = strconv.Atoi(f.Get("limit"))
		s.asked = append(s.asked, q)
		list, total := s.site.Nodes(q)
		put(w, map[string]any{"total": total, "nodes": list})
	})
	handle("/api/nodes/{who}", s.one(func(w http.ResponseWriter, n story.Node) { put(w, n) }))
	handle("/api/nodes/{who}/explain", s.one(func(w http.ResponseWriter, n story.Node) {
		fmt.Fprintf(w, "DISCOVER of %s (host %s), architecture 7 (UEFI, 64 bits), uefi\n  heard on bond0\n\nOFFER\n  53  dhcp-message-type  OFFER  the server itself\n", n.MAC, n.Host)
	}))
	capture := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/x-pcapng")
		w.Write(s.Body)
	}
	handle("/api/nodes/{who}/capture.pcapng", s.one(func(w http.ResponseWriter, _ story.Node) { capture(w) }))
	handle("/api/capture.pcapng", func(w http.ResponseWriter, _ *http.Request) { capture(w) })
	return m
}

// one answers about a node, if there is such a node.
func (s *Server) one(f func(w http.ResponseWriter, n story.Node)) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		n, ok := s.site.Node(r.PathValue("who"))
		if !ok {
			http.Error(w, "no node "+r.PathValue("who"), http.StatusNotFound)
			return
		}
		f(w, n)
	}
}

// put writes a value as JSON.
func put(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}
