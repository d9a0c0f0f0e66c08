package engine

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// NewLogger makes the logger for a level (debug, info, warn, error) and a
// format: "console" writes sentences for people, "json" one object per line
// with the same sentence and its parts as fields. Where the journal is what takes
// them, each line begins with its priority, as sd-daemon(3) has it.
func NewLogger(level, format string, to io.Writer) (*zap.Logger, error) {
	return newLogger(level, format, to, isJournal(to))
}

// isJournal tells whether what is written goes to systemd's journal: its own way
// to say so (systemd.exec(5)), which a terminal's shell may have inherited, too.
func isJournal(to io.Writer) bool {
	f, ok := to.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", st.Dev, st.Ino)
}

// priority is a level as the journal has it, in front of a line (sd-daemon(3)).
func priority(l zapcore.Level) string {
	switch {
	case l >= zap.ErrorLevel:
		return "<3>"
	case l == zap.WarnLevel:
		return "<4>"
	case l == zap.InfoLevel:
		return "<6>"
	}
	return "<7>"
}

func newLogger(level, format string, to io.Writer, journal bool) (*zap.Logger, error) {
	l, err := zapcore.ParseLevel(level)
	if err != nil || l > zap.ErrorLevel {
		return nil, fmt.Errorf("log level %q is unknown: use debug, info, warn or error", level)
	}
	sink := zapcore.Lock(zapcore.AddSync(to))
	e := zap.NewProductionEncoderConfig()
	e.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	switch format {
	case "json":
		if journal {
			return zap.New(byPriority(e, sink, l)), nil
		}
		return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(e), sink, l)), nil
	case "console":
		// Colours and callers are left out: this is read in a journal, over ssh,
		// and in mails.
		e.EncodeLevel = zapcore.CapitalLevelEncoder
		e.ConsoleSeparator = " "
		e.EncodeTime = func(t time.Time, out zapcore.PrimitiveArrayEncoder) { out.AppendString(t.Format("15:04:05.000")) }
		if journal {
			e.TimeKey = "" // the journal has its own
			e.EncodeLevel = func(l zapcore.Level, out zapcore.PrimitiveArrayEncoder) {
				out.AppendString(priority(l) + l.CapitalString())
			}
		}
		return zap.New(sentences{zapcore.NewCore(zapcore.NewConsoleEncoder(e), sink, l), journal}), nil
	}
	return nil, fmt.Errorf("log format %q is unknown: use console or json", format)
}

// byPriority writes objects for the journal, which takes the priority for itself and
// keeps the object: "journalctl -p warning" and "journalctl -o cat | jq" both work.
func byPriority(e zapcore.EncoderConfig, sink zapcore.WriteSyncer, least zapcore.Level) zapcore.Core {
	var all []zapcore.Core
	for l := zap.DebugLevel; l <= zap.ErrorLevel; l++ {
		all = append(all, zapcore.NewCore(zapcore.NewJSONEncoder(e), prioritized{sink, priority(l)},
			zap.LevelEnablerFunc(func(of zapcore.Level) bool { return of >= least && min(of, zap.ErrorLevel) == l })))
	}
	return zapcore.NewTee(all...)
}

// prioritized puts a priority in front of each line, in the same write.
type prioritized struct {
	zapcore.WriteSyncer
	priority string
}

// Write implements io.Writer.
func (p prioritized) Write(line []byte) (int, error) {
	n, err := p.WriteSyncer.Write(append([]byte(p.priority), line...))
	return max(n-len(p.priority), 0), err
}

// sentences is a core that writes messages only: they say everything that the
// fields say.
type sentences struct {
	zapcore.Core
	journal bool // each line is an entry of its own there
}

// With drops the fields.
func (s sentences) With([]zapcore.Field) zapcore.Core { return s }

// Check enters s, not the core inside it.
func (s sentences) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if s.Enabled(e.Level) {
		return ce.AddCore(e, s)
	}
	return ce
}

// Write writes the message alone.
func (s sentences) Write(e zapcore.Entry, _ []zapcore.Field) error {
	if s.journal {
		e.Message = strings.ReplaceAll(e.Message, "\n", "\n"+priority(e.Level))
	}
	return s.Core.Write(e, nil)
}
