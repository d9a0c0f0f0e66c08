package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/zap"
)

// "journalctl -p warning" is what an operator types first.
func TestJournalGetsThePriorityOfEachLine(t *testing.T) {
	var b bytes.Buffer
	log, err := newLogger("debug", "console", &b, true)
	if err != nil {
		t.Fatal(err)
	}
	log.Debug("d")
	log.Info("i")
	log.Warn("w")
	log.Error("the configuration cannot be used:\nline 7")
	if want := "<7>DEBUG d\n<6>INFO i\n<4>WARN w\n<3>ERROR the configuration cannot be used:\n<3>line 7\n"; b.String() != want {
		t.Errorf("got\n%swant\n%s", &b, want)
	}
}

// The journal takes the priority away, and what it keeps is an object.
func TestJournalGetsThePriorityOfEachObject(t *testing.T) {
	var b bytes.Buffer
	log, err := newLogger("info", "json", &b, true)
	if err != nil {
		t.Fatal(err)
	}
	log.Debug("d")
	log.Info("i", zap.Int("leases", 3))
	log.Warn("w")
	log.Error("two\nlines")
	want := []string{`<6>{"level":"info"`, `<4>{"level":"warn"`, `<3>{"level":"error"`}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines: %s", len(lines), &b)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, want[i]) || !json.Valid([]byte(line[len("<6>"):])) {
			t.Errorf("line %d is %s", i, line)
		}
	}
}

// A shell that a service started has the variable, and its terminal is no journal.
func TestJournalIsOnlyWhatTheVariableNames(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	st := info.Sys().(*syscall.Stat_t)
	for value, want := range map[string]bool{"": false, "1:1": false, fmt.Sprintf("%d:%d", st.Dev, st.Ino): true} {
		t.Setenv("JOURNAL_STREAM", value)
		if isJournal(f) != want {
			t.Errorf("JOURNAL_STREAM=%q: journal is %v", value, !want)
		}
	}
}
