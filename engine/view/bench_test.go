package view_test

import (
	"testing"

	"bootstorm/engine/view"
	"bootstorm/engine/view/rehearse"
)

// What one open page, one program that follows nodes and one scrape cost the view
// with 10,000 nodes; each is asked for about once a second.
func BenchmarkTenThousandNodes(b *testing.B) {
	s := rehearse.New(10000, noon.Add(-age), true)
	s.Play(noon)
	r := &rig{t: nil, now: noon, fed: noon}
	r.handler = view.New(s.Book, &rehearse.Engine{}, view.Options{Now: r.clock, Fed: r.clock})
	for _, path := range []string{"/api/nodes?bars=1&limit=50", "/api/nodes?text=rack03", "/api/summary", "/api/stuck", "/metrics"} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				r.now = r.now.Add(cacheTime)
				if w := r.do("GET", path, ""); w.Code != 200 {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
}
