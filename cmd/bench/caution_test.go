package main

import (
	"bytes"
	"strings"
	"testing"

	"bootstorm/bench"
	"bootstorm/proto"
)

// An interface that is no virtual cable is warned of, with the addresses that
// will be seen there, and without --yes nothing is sent.
func TestCaution(t *testing.T) {
	text, err := cautionFor("lo", &bench.Config{Nodes: 2000, First: proto.MAC{2, 0, 0, 0, 0, 1}})
	if err != nil || !strings.Contains(text, "asked for 2,000 addresses by 02:00:00:00:00:01 to 02:00:00:00:07:d0") {
		t.Errorf("%v, %s", err, text)
	}
	_, root := stormFiles(t)
	var out, said bytes.Buffer
	c := rootCommand()
	c.SetArgs([]string{"storm", "--interface", "lo", "--tftp-root", root})
	c.SetOut(&out)
	c.SetErr(&said)
	if err := c.Execute(); err == nil || !strings.Contains(err.Error(), "--yes") || !strings.HasPrefix(said.String(), "WARNING: lo ") || out.Len() > 0 {
		t.Errorf("%v, %s%s", err, said.String(), out.String())
	}
	if _, err := cautionFor("nosuch0", &bench.Config{Nodes: 1}); err == nil || !strings.Contains(err.Error(), "nosuch0") {
		t.Errorf("an interface that does not exist: %v", err)
	}
}
