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

// TestEditDistance counts edits up to the limit.
func TestEditDistance(t *testing.T) {
	for _, c := range []struct {
		a, b        string
		limit, want int
	}{
		{"", "", 3, 0}, {"a", "", 3, 1}, {"abc", "abc", 3, 0}, {"abc", "acb", 3, 1}, {"abc", "xbc", 3, 1},
		{"abcd", "bcd", 3, 1}, {"abc", "cab", 3, 2}, {"abcdef", "a", 3, 4}, {"kitten", "sitting", 5, 3},
	} {
		if got := editDistance(c.a, c.b, c.limit); got != c.want {
			t.Errorf("%q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
