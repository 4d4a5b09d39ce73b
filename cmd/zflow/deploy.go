package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"zflow/internal/app"
	"zflow/internal/command/connection"
	"zflow/internal/operator/deployment"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

const aboutDeploy = `Check workflow files and make them the active versions. Where one has an error,
none is deployed. Runs under way keep the version they began with.

With --env prod the values in vars.prod.yaml, beside the files, go over those vars
of the workflows that it names, and are part of the version.

With --prune what is deployed and not in the folders is removed: no event starts it
any more, its runs go on, and its versions stay. --dry-run says what would be done.`

// deployFlags is how a deployment was asked for.
type deployFlags struct {
	env           string
	prune, dryRun bool
	force         bool // though connections lack scopes
}

func deployCommand(sh *shell) *cobra.Command {
	var d deployFlags
	c := sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use:   "deploy FILE|DIR…",
		Short: "Check workflow files and make them the active versions",
		Long:  aboutDeploy,
		Example: "  zflow deploy welcome.yaml\n  zflow deploy workflows/ --server nats://broker:4222\n" +
			"  zflow deploy workflows/ --env prod --prune --dry-run",
		Args: terminal.Args("FILE or DIR…"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := d.check(args); err != nil {
				return err
			}
			files, err := readFiles(args, d.env)
			if err != nil {
				return err
			}
			if err := failedIf(files); err != nil {
				return errFirst(sh.printProblems(files), err)
			}
			return sh.deploy(c.Context(), d, files)
		},
	}))
	envFlag(c, &d.env)
	c.Flags().BoolVar(&d.prune, "prune", false, "remove what is deployed and in none of the folders")
	c.Flags().BoolVar(&d.force, "force", false, "deploy though connections lack scopes that the workflows need")
	c.Flags().BoolVar(&d.dryRun, "dry-run", false, "only say what would be done")
	return c
}

// check refuses to prune by what is not the whole of a folder.
func (d deployFlags) check(paths []string) error {
	for _, path := range paths {
		if info, err := os.Stat(path); d.prune && err == nil && !info.IsDir() {
			return terminal.Misused("--prune goes with folders only: %s is a file, and everything else would be removed", path)
		}
	}
	return nil
}

func errFirst(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (sh *shell) deploy(ctx context.Context, d deployFlags, files []*file) error {
	o, err := sh.Operator(ctx)
	if err != nil {
		return err
	}
	candidates := make([]deployment.Candidate, len(files))
	for i, f := range files {
		candidates[i] = deployment.Candidate{Name: f.name, Version: f.version, File: f.path}
	}
	plan, err := deployment.Plan(ctx, o, candidates, d.prune)
	if err != nil {
		return err
	}
	client, err := sh.Open(ctx)
	if err != nil {
		return err
	}
	if err := checkRequests(ctx, client, files, plan); err != nil {
		return err
	}
	if err := sh.checkScopes(ctx, client, files, d.force); err != nil {
		return err
	}
	if name := firstCoded(files); name != "" {
		sh.warnCode(name, "no worker that is up can run them", client.NoCode(ctx))
	}
	if !d.dryRun {
		if err := sh.carryOut(ctx, client, files, plan); err != nil {
			return err
		}
	}
	return sh.printPlan(plan)
}

// checkScopes refuses workflows whose connections lack scopes or are to something else than their steps call; force only warns. What
// only may be missing is told.
func (sh *shell) checkScopes(ctx context.Context, client *app.Client, files []*file, force bool) error {
	sources := map[string][]byte{}
	for _, f := range files {
		sources[f.path] = f.src
	}
	lack, err := connection.Ungranted(ctx, client.NC, sources)
	if err != nil {
		return err
	}
	for _, line := range lack.Doubted {
		sh.Say("warning: %s", line)
	}
	for _, line := range lack.Missing {
		sh.Say("%s", line)
	}
	for _, line := range lack.Unfit {
		sh.Say("%s", line)
	}
	if len(lack.Unfit) > 0 && !force {
		return errors.New("steps name connections that they cannot use: name others, or deploy with --force")
	}
	if len(lack.Missing) > 0 && !force {
		return errors.New("connections lack scopes: add them to the Zoom app and connect again, or deploy with --force")
	}
	return nil
}

// checkRequests refuses workflows that want requests of others that stay deployed.
func checkRequests(ctx context.Context, client *app.Client, files []*file, plan []deployment.Planned) error {
	if len(files) == 0 {
		return nil
	}
	problems, err := client.Catalog.Contested(ctx, files[0].requests, namesOf(plan)...)
	return errFirst(err, problems.Err())
}

func namesOf(plan []deployment.Planned) (names []string) {
	for _, p := range plan {
		names = append(names, p.Name)
	}
	return names
}

// carryOut deploys the files, then removes what the plan removes, and writes into
// the plan what came of it.
func (sh *shell) carryOut(ctx context.Context, client *app.Client, files []*file, plan []deployment.Planned) error {
	changing := namesOf(plan)
	for i, p := range plan {
		if p.Change == deployment.Removed {
			if err := client.Catalog.Remove(ctx, p.Name); err != nil {
				return err
			}
			continue
		}
		d, problems, err := client.Catalog.Deploy(ctx, files[i].path, files[i].src, changing...) // the plan begins with the files
		if err != nil {
			return err
		}
		for _, p := range problems {
			sh.Say("%v", p)
		}
		plan[i].Change, plan[i].Version, plan[i].State = string(d.Change), d.Version, d.State
	}
	return nil
}

func (sh *shell) printPlan(plan []deployment.Planned) error {
	if sh.JSON() {
		return sh.PrintJSON(plan)
	}
	t := sh.Table("WORKFLOW", "CHANGE", "VERSION", "STATE", "FILE")
	for _, p := range plan {
		file := p.File
		switch {
		case p.OpenRuns == 1:
			file += " (1 open run keeps its version)"
		case p.OpenRuns > 1:
			file += fmt.Sprintf(" (%d open runs keep their versions)", p.OpenRuns)
		}
		t.Add(p.Name, p.Change, terminal.Short(p.Version, 13), string(p.State), file)
	}
	return t.Print(sh.Out)
}
