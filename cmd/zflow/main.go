// Command zflow is all of zflow for a person at a terminal: it runs it, deploys
// workflows, and shows and steers what happens.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"zflow/internal/terminal"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := execute(ctx, &shell{&terminal.Shell{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv}}, os.Args[1:])
	stop()
	os.Exit(code)
}

// shell is the terminal, and what this program's commands print on it.
type shell struct{ *terminal.Shell }

// execute runs a command line and returns its exit code.
func execute(ctx context.Context, sh *shell, args []string) int {
	root := newRoot(sh)
	root.SetArgs(args)
	called, err := root.ExecuteContextC(ctx)
	if closed := sh.Close(); err == nil {
		err = closed
	}
	var u *terminal.Usage
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, terminal.ErrSaid):
		return exitFailed
	case errors.As(err, &u):
		sh.Say("%v (see %s --help)", err, called.CommandPath())
		return exitUsage
	}
	sh.Say("%v", err)
	return exitFailed
}
