package main

import (
	"zflow/internal/flowtest/command"

	"github.com/spf13/cobra"
)

func testCommand(sh *shell) *cobra.Command { return command.Test(sh.Shell, errSaid) }
