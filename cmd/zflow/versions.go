package main

import (
	"fmt"

	"zflow/internal/app"
	"zflow/internal/operator/deployment"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

func workflowsVersions(sh *shell) *cobra.Command {
	return sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "versions NAME", Short: "List a workflow's versions: which is active, and how many open runs use each", Args: terminal.Args("NAME"),
		Long:              "List a workflow's versions, the one that was deployed last first: which is active, and how many open\nruns use each. A version is never deleted.",
		Example:           "  zflow workflows versions welcome",
		ValidArgsFunction: sh.Names(terminal.WorkflowNames),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			all, err := deployment.List(c.Context(), o, args[0])
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(all)
			}
			t := sh.Table("VERSION", "STATE", "DEPLOYED", "OPEN RUNS", "FILE")
			for _, v := range all {
				state := "-"
				if v.Active {
					state = "active"
				}
				t.Add(v.Version.Version, state, terminal.Clock(v.DeployedAt), fmt.Sprint(v.OpenRuns), v.File)
			}
			return t.Print(sh.Out)
		},
	}))
}

func workflowsDiff(sh *shell) *cobra.Command {
	var name, env string
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "diff NAME [FROM] [TO]", Short: "Show what changed between two versions of a workflow, or to a file", Args: terminal.SomeArgs(1, 3, "NAME", "FROM", "TO"),
		Long: `Show what changed between two versions of a workflow: from the one before the active
one, or FROM, to the active one, or TO. With --file: from the active one, or FROM, to
that file. A version may be named by its beginning.`,
		Example:           "  zflow workflows diff welcome\n  zflow workflows diff welcome 3f2a --file welcome.yaml",
		ValidArgsFunction: sh.Names(terminal.WorkflowNames),
		RunE: func(c *cobra.Command, args []string) error {
			args = append(args, "", "")
			if name != "" && args[2] != "" {
				return terminal.Misused("with --file there is no TO")
			}
			if name == "" && env != "" {
				return terminal.Misused("--env goes with --file")
			}
			d, err := sh.difference(c, args, name, env)
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(d)
			}
			if d.Diff == "" {
				return sh.Print("no difference\n")
			}
			return sh.Print("%s", d.Diff)
		},
	}))
	c.Flags().StringVar(&name, "file", "", "compare with this `file`")
	envFlag(c, &env)
	return c
}

func (sh *shell) difference(c *cobra.Command, args []string, name, env string) (deployment.Difference, error) {
	if name == "" {
		o, err := sh.Operator(c.Context())
		if err != nil {
			return deployment.Difference{}, err
		}
		return deployment.Diff(c.Context(), o, args[0], args[1], args[2])
	}
	src, _, err := app.ReadWorkflow(name)
	if err != nil {
		return deployment.Difference{}, fmt.Errorf("reading workflows: %w", err)
	}
	if env != "" { // only what is in order can have values put over it
		files, err := readFiles([]string{name}, env)
		if err != nil {
			return deployment.Difference{}, err
		}
		if err := failedIf(files); err != nil {
			return deployment.Difference{}, errFirst(sh.printProblems(files), err)
		}
		src = files[0].src
	}
	o, err := sh.Operator(c.Context())
	if err != nil {
		return deployment.Difference{}, err
	}
	return deployment.DiffFile(c.Context(), o, args[0], args[1], deployment.File{Name: name, Source: src})
}

func workflowsRollback(sh *shell) *cobra.Command {
	return sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use: "rollback NAME [VERSION]", Short: "Make an earlier version of a workflow the active one again", Args: terminal.SomeArgs(1, 2, "NAME", "VERSION"),
		Long: `Make the version before the active one, or VERSION, the active one again. Runs under
way keep theirs. A later rollback goes further back; to go forward again name a version.`,
		Example:           "  zflow workflows rollback welcome\n  zflow workflows rollback welcome 3f2a",
		ValidArgsFunction: sh.Names(terminal.WorkflowNames),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := sh.Operator(c.Context())
			if err != nil {
				return err
			}
			d, err := deployment.Rollback(c.Context(), o, args[0], append(args, "")[1])
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(d)
			}
			if d.Change == "unchanged" {
				return sh.Print("version %s of workflow %s is the active one already\n", d.Version, d.Name)
			}
			return sh.Print("version %s of workflow %s, from %s, is %s again\n", d.Version, d.Name, d.File, d.State)
		},
	}))
}
