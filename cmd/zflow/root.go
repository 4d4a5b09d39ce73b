package main

import (
	"zflow/internal/command/connection"
	"zflow/internal/command/data"
	"zflow/internal/command/event"
	"zflow/internal/command/pipedream"
	"zflow/internal/command/run"
	"zflow/internal/command/token"
	"zflow/internal/command/trigger"
	"zflow/internal/command/zoom"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

const about = `zflow runs workflows when something happens in Zoom, and keeps every step.

Begin with:
  zflow demo                        signed events run the example workflows against a simulated Zoom
  zflow dev --sim                   the same for the workflows in this folder, reloaded when they change
  zflow events send meeting.ended   send an event to it
  zflow runs list                   see what became of it`

// newRoot returns the whole command line.
func newRoot(sh *shell) *cobra.Command {
	root := terminal.Group("zflow", "Workflows for Zoom that survive anything",
		demoCommand(sh), devCommand(sh), simCommand(sh), validateCommand(sh), testCommand(sh), verifyCommand(sh), deployCommand(sh), pipedream.Commands(sh.Shell), workflowsCommand(sh), run.Commands(sh.Shell), event.Commands(sh.Shell), data.Commands(sh.Shell), trigger.Commands(sh.Shell), trigger.Scopes(sh.Shell),
		connection.Connect(sh.Shell), connection.Commands(sh.Shell), zoom.Commands(sh.Shell), benchCommand(sh),
		doctorCommand(sh), keysCommand(sh), token.Commands(sh.Shell), actionsCommand(sh), schemaCommand(sh), decodeCommand(sh), versionCommand(sh),
	)
	root.Long = about
	root.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		return terminal.Refuse(c, args)
	}
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(terminal.FlagError)
	root.SetIn(sh.In)
	root.SetOut(sh.Out)
	root.SetErr(sh.Err)
	root.SetHelpCommand(helpCommand(root))
	root.InitDefaultCompletionCmd("completion")
	for _, c := range root.Commands() {
		if c.Name() == "completion" { // cobra's own: it would take any word
			c.Args, c.RunE = cobra.ArbitraryArgs, terminal.Refuse
		}
	}
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return sh.CheckOutput() }
	return root
}

// helpCommand is cobra's, but for refusing what is no command.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND…]", Short: "Explain a command",
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return terminal.Refuse(c, rest)
			}
			return c.Help()
		},
	}
}
