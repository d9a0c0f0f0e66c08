package engine

import (
	"fmt"
	"io"
	"os"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// NewLogger makes the logger for a level (debug, info, warn, error) and a
// format: "console" writes sentences for people, "json" one object per line
// with the same sentence and its parts as fields.
func NewLogger(level, format string, to io.Writer) (*zap.Logger, error) {
	l, err := zapcore.ParseLevel(level)
	if err != nil || l > zap.ErrorLevel {
		return nil, fmt.Errorf("log level %q is unknown: use debug, info, warn or error", level)
	}
	sink := zapcore.Lock(zapcore.AddSync(to))
	e := zap.NewProductionEncoderConfig()
	e.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	switch format {
	case "json":
		return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(e), sink, l)), nil
	case "console":
		// Colours and callers are left out: this is read in a journal, over ssh,
		// and in mails.
		e.EncodeLevel = zapcore.CapitalLevelEncoder
		e.ConsoleSeparator = " "
		e.EncodeTime = func(t time.Time, out zapcore.PrimitiveArrayEncoder) { out.AppendString(t.Format("15:04:05.000")) }
		if os.Getenv("JOURNAL_STREAM") != "" {
			e.TimeKey = "" // the journal has its own
		}
		return zap.New(sentences{zapcore.NewCore(zapcore.NewConsoleEncoder(e), sink, l)}), nil
	}
	return nil, fmt.Errorf("log format %q is unknown: use console or json", format)
}

// sentences is a core that writes messages only: they say everything that the
// fields say.
type sentences struct{ zapcore.Core }

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
func (s sentences) Write(e zapcore.Entry, _ []zapcore.Field) error { return s.Core.Write(e, nil) }
