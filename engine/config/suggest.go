package config

import (
	"slices"
	"strings"
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
		if d := editDistance(word, strings.ToLower(c), limit); d <= limit {
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

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b (optimal string alignment); more than limit is
// all the same.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	two, one, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range one {
		one[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(one[j]+1, cur[j-1]+1, one[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], two[j-2]+1)
			}
		}
		two, one, cur = one, cur, two
	}
	return one[len(b)]
}

// sortedCopy returns the words in alphabetical order.
func sortedCopy(words []string) []string {
	s := slices.Clone(words)
	slices.Sort(s)
	return s
}
