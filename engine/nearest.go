package engine

import (
	"path"
	"strings"

	edlib "github.com/hbollon/go-edlib"

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
		if len(lower)-len(name) >= least || len(name)-len(lower) >= least {
			continue
		}
		if d := edlib.OSADamerauLevenshteinDistance(lower, name); d < least {
			best, least = have, d
		}
	}
	return best
}
