package config

import "testing"

// TestNearest finds what was meant, and keeps silent where nothing is near.
func TestNearest(t *testing.T) {
	words := []string{"range", "routers", "subnet", "subnet6", "option", "authoritative", "filename"}
	for _, c := range []struct{ word, want string }{
		{"rangee", "range"}, {"ragne", "range"}, {"subent", "subnet"}, {"Routers", "routers"},
		{"autoritative", "authoritative"}, {"authorative", "authoritative"}, {"file-name", "filename"},
		{"subnet7", "subnet"}, {"opt", ""}, {"banana", ""}, {"", ""},
	} {
		if got := nearest(c.word, words); got != c.want {
			t.Errorf("nearest(%q) = %q, want %q", c.word, got, c.want)
		}
	}
}
