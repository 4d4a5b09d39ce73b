package main

import (
	"zflow/internal/flowtest/command"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

func testCommand(sh *shell) *cobra.Command { return command.Test(sh.Shell, terminal.ErrSaid) }
