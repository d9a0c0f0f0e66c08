package config

import (
	"slices"
	"strings"

	edlib "github.com/hbollon/go-edlib"
)

// nearest returns the candidate that word most likely stands for: the one with
// the fewest edits, if they are few enough for a slip. Case does not count.
func nearest(word string, candidates []string) string {
	word = strings.ToLower(word)
	if len(word) > 64 {
		return ""
	}
	best, limit := "", 1+len(word)/4
	for _, c := range candidates {
		if d := edlib.OSADamerauLevenshteinDistance(word, strings.ToLower(c)); d <= limit {
			best, limit = c, d-1
		}
	}
	return best
}

// didYouMean makes a remedy out of nearest; otherwise is given when nothing is
// near.
func didYouMean(word string, candidates []string, otherwise string) string {
	if c := nearest(word, candidates); c != "" {
		return "did you mean " + c + "?"
	}
	return otherwise
}

// sortedCopy returns the words in alphabetical order.
func sortedCopy(words []string) []string {
	s := slices.Clone(words)
	slices.Sort(s)
	return s
}
