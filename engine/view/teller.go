package view

import (
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"bootstorm/engine/story"
)

// Lines of one kind in a storm: as many as somebody can follow, and then one a
// second that says how many more there are.
const (
	linesBurst = 100
	linesEach  = 20 // a second
)

// teller writes what the story tells into the log: one line for each boot, which
// takes the place of the engine's line for each of its steps.
type teller struct {
	log   *zap.Logger
	left  map[string]int // lines, by kind
	plain map[string]string
}

func newTeller(log *zap.Logger) *teller {
	return &teller{log: log, left: map[string]int{}, plain: map[string]string{
		story.ToldBooted: "nodes have booted", story.ToldStuck: "nodes are stuck", story.ToldRecovered: "nodes go on"}}
}

// tell writes what came to be told within a second.
func (t *teller) tell(told []story.Told) {
	for kind, n := range t.left {
		t.left[kind] = min(n+linesEach, linesBurst)
	}
	folded := map[string]int{}
	for i := range told {
		k := told[i].Kind
		if _, known := t.left[k]; !known {
			t.left[k] = linesBurst
		}
		if t.left[k] == 0 {
			folded[k]++
			continue
		}
		t.left[k]--
		t.log.Log(levelOf(k), told[i].Text, fieldsOf(&told[i])...)
	}
	for kind, n := range folded {
		what := t.plain[kind]
		if what == "" {
			what = "messages of " + kind
		}
		t.log.Log(levelOf(kind), fmt.Sprintf("and %d more %s", n, what), zap.String("event", kind), zap.Int("folded", n))
	}
}

// levelOf is the level of a kind of line. What the engine warns of itself is not
// said twice.
func levelOf(kind string) zapcore.Level {
	switch kind {
	case story.ToldConflict:
		return zap.DebugLevel
	case story.ToldBooted, story.ToldRecovered:
		return zap.InfoLevel
	}
	return zap.WarnLevel
}

// fieldsOf are the parts of a line for a log that machines read.
func fieldsOf(t *story.Told) []zap.Field {
	f := []zap.Field{zap.String("event", t.Kind)}
	n := &t.Node
	if n.MAC == "" {
		return f
	}
	f = append(f, zap.String("mac", n.MAC))
	for _, s := range [][2]string{{"host", n.Host}, {"address", n.Address}, {"client", n.Client}, {"file", n.File}, {"reason", n.Reason}} {
		if s[1] != "" {
			f = append(f, zap.String(s[0], s[1]))
		}
	}
	f = append(f, zap.Int64("bytes", n.Bytes), zap.Int("repeated", n.Resent))
	if !n.Finished.IsZero() {
		f = append(f, zap.Float64("seconds", n.Finished.Sub(n.Started).Seconds()))
	}
	return f
}

// debugOnly is a core that writes everything at the level of debugging.
type debugOnly struct{ zapcore.Core }

// Check implements zapcore.Core.
func (d debugOnly) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	e.Level = zap.DebugLevel
	return d.Core.Check(e, ce)
}
