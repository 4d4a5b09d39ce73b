package terminal

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// ErrSaid ends a command whose failure its output has told.
var ErrSaid = errors.New("failed")

// Say writes a line about the command itself, beside the output. Where nobody
// reads it, there is no one to tell.
func (sh *Shell) Say(format string, args ...any) {
	_, _ = fmt.Fprintf(sh.Err, "zflow: "+format+"\n", args...)
}

// Progress says how far something is, once a second.
func (sh *Shell) Progress(what string) func(done, of uint64) {
	last := time.Now()
	return func(done, of uint64) {
		if time.Since(last) >= time.Second {
			last = time.Now()
			sh.Say("%d of %d %s", done, of, what)
		}
	}
}

// Person is who gives an order, as the history will say.
func (sh *Shell) Person() string {
	return cmp.Or(cmp.Or(sh.Env("USER"), sh.Env("LOGNAME")), "cli")
}
