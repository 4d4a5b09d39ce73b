package main

import (
	"zflow/internal/flowtest/command"

	"github.com/spf13/cobra"
)

func verifyCommand(sh *shell) *cobra.Command { return command.Verify(sh.Shell, errSaid) }
