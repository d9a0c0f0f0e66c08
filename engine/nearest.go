package engine

import (
	"path"
	"strings"

	"bootstorm/engine/image"
)

// nearestLetters is the shortest name that something may be like.
const nearestLetters = 4

// nearest returns the name of a file that somebody who asked for name may have
// meant: the same name in another directory, one that begins with it, or one
// that differs by little; "" if there is none.
func nearest(files *image.Set, name string) string {
	name = strings.ToLower(strings.Trim(strings.ReplaceAll(name, "\\", "/"), "/\x00"))
	if len(name) < nearestLetters {
		return ""
	}
	best, least := "", 1+max(1, len(name)/6)
	for i := range files.Len() {
		have := files.File(int32(i)).Name
		lower := strings.ToLower(have)
		if path.Base(lower) == path.Base(name) || strings.HasPrefix(lower, name) {
			return have
		}
		if d := distance(lower, name, least); d < least {
			best, least = have, d
		}
	}
	return best
}

// distance is how many letters must be changed, put in, taken out or swapped
// with the next to turn a into b (the optimal string alignment distance); limit
// if it is not less than that.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	// The whole table is kept: names are short and this is for a log line.
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			rows[i][j] = cell(a, b, rows, i, j)
		}
	}
	return min(rows[len(a)][len(b)], limit)
}

// cell is the distance of the first i bytes of a and the first j of b.
func cell(a, b string, rows [][]int, i, j int) int {
	if a[i-1] == b[j-1] {
		return rows[i-1][j-1]
	}
	d := 1 + min(rows[i-1][j-1], rows[i-1][j], rows[i][j-1])
	if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
		d = min(d, 1+rows[i-2][j-2])
	}
	return d
}
