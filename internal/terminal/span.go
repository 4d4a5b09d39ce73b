package terminal

import (
	"time"

	"zflow/internal/operator"

	"github.com/spf13/pflag"
)

// Span is a flag for a time ago: 30m, 24h, 7d, 2w.
type Span time.Duration

// String is pflag's.
func (s *Span) String() string {
	if *s == 0 {
		return ""
	}
	return time.Duration(*s).String()
}

// Set is pflag's.
func (s *Span) Set(text string) error {
	d, err := operator.ParseDuration(text)
	*s = Span(d)
	return err
}

// Type is pflag's.
func (s *Span) Type() string { return "duration" }

// SpanVar adds a flag for a time ago.
func SpanVar(f *pflag.FlagSet, to *time.Duration, name, usage string) {
	f.Var((*Span)(to), name, usage)
}
