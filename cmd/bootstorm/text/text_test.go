package text

import (
	"slices"
	"testing"
)

func TestNumbersAreShortAndExactWhereItMatters(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Bytes(0), "0 B"},
		{Bytes(999), "999 B"},
		{Bytes(999.7), "1.0 kB"},
		{Bytes(1_170_000), "1.2 MB"},
		{Bytes(118_400_000), "118 MB"},
		{Rate(0), "0"},
		{Rate(0.34), "0.3"},
		{Rate(1203.4), "1 203"},
		{Count(-1234567), "-1 234 567"},
		{Count(-123), "-123"},
		{Count(999), "999"},
		{Nodes(1), "1 node"},
		{Nodes(10000), "10 000 nodes"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// A file name that a node asked for may hold anything.
func TestNothingFromTheNetworkReachesTheTerminal(t *testing.T) {
	if got := Clean("a\x1b[2J\nb\u202ec\xffé"); got != "a?[2J?b?c\ufffdé" {
		t.Errorf("%q", got)
	}
}

func TestCellsHaveTheirWidth(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Fit("abc", 5), "abc  "},
		{Fit("abcdef", 4), "abc~"},
		{Fit("abc", 0), ""},
		{Right("abc", 5), "  abc"},
		{Right("abcdef", 4), "abc~"},
		{Fit("日本語", 4), "日~ "},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	if got := Wrap("no address is left", 10); !slices.Equal(got, []string{"no address", "is left"}) {
		t.Errorf("%q", got)
	}
}
