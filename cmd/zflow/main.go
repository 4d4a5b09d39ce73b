// Command zflow is all of zflow for a person at a terminal: it runs it, deploys
// workflows, and shows and steers what happens.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, &shell{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Getenv}, os.Args[1:])
	stop()
	os.Exit(code)
}

// run executes a command line and returns its exit code.
func run(ctx context.Context, sh *shell, args []string) int {
	root := newRoot(sh)
	root.SetArgs(args)
	called, err := root.ExecuteContextC(ctx)
	if closed := sh.close(); err == nil {
		err = closed
	}
	var u *usage
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errSaid):
		return exitFailed
	case errors.As(err, &u):
		say(sh.err, "%v (see %s --help)", err, called.CommandPath())
		return exitUsage
	}
	say(sh.err, "%v", err)
	return exitFailed
}

// errSaid ends a command whose failure its output has told.
var errSaid = errors.New("failed")

// say writes a line about the command itself. Where nobody reads it, there is
// no one to tell.
func say(to io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(to, "zflow: "+format+"\n", args...)
}
