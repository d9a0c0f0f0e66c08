package view

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"
	seen "go.uber.org/zap/zaptest/observer"

	"bootstorm/engine/story"
)

// TestTeller writes a line for each boot up to a number, and then how many more
// there were; what is wrong is a warning.
func TestTeller(t *testing.T) {
	zcore, logs := seen.New(zap.InfoLevel)
	l := newTeller(zap.New(zcore))
	var told []story.Told
	for i := range 250 {
		told = append(told, story.Told{Kind: story.ToldBooted, Text: fmt.Sprint("node ", i, " has booted"), Node: story.Node{MAC: "m", Host: "h", Bytes: 5}})
	}
	told = append(told, story.Told{Kind: story.ToldStuck, Text: "node x is stuck"}, story.Told{Kind: story.ToldConflict, Text: "said by the engine"})
	l.tell(told)
	all := logs.TakeAll()
	if len(all) != linesBurst+2 || all[0].Message != "node 0 has booted" || all[0].ContextMap()["host"] != "h" || all[0].ContextMap()["bytes"] != int64(5) {
		t.Fatalf("%d lines, first %+v", len(all), all[0])
	}
	if e := all[linesBurst]; e.Message != "node x is stuck" || e.Level != zap.WarnLevel {
		t.Errorf("%+v", e)
	}
	if e := all[linesBurst+1]; !strings.HasPrefix(e.Message, "and 150 more nodes have booted") || e.ContextMap()["folded"] != int64(150) {
		t.Errorf("%+v", e)
	}
	l.tell(told[:30])
	if n := len(logs.TakeAll()); n != linesEach+1 {
		t.Errorf("%d lines a second later", n)
	}
}
