package main

import (
	"zflow/internal/flowtest/command"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

func verifyCommand(sh *shell) *cobra.Command { return command.Verify(sh.Shell, terminal.ErrSaid) }
