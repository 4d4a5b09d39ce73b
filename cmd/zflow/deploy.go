package main

import (
	"zflow/internal/app"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

func deployCommand(sh *shell) *cobra.Command {
	return sh.PrintsData(sh.AsksServer(&cobra.Command{
		Use:   "deploy FILE|DIR…",
		Short: "Check workflow files and make them the active versions",
		Long: `Check workflow files and make them the active versions. Where one has an error,
none is deployed. Runs under way keep the version they began with.`,
		Example: "  zflow deploy welcome.yaml\n  zflow deploy workflows/ --server nats://broker:4222",
		Args:    terminal.Args("FILE or DIR…"),
		RunE: func(c *cobra.Command, args []string) error {
			files, err := readFiles(args)
			if err != nil {
				return err
			}
			if err := failedIf(files); err != nil {
				return errFirst(sh.printProblems(files), err)
			}
			client, err := sh.Open(c.Context())
			if err != nil {
				return err
			}
			return sh.deploy(c, client, files)
		},
	}))
}

func errFirst(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// deployedJSON is what became of one file.
type deployedJSON struct {
	Name    string `json:"name"`
	Change  string `json:"change"` // created, updated, unchanged
	Version string `json:"version"`
	State   string `json:"state"`
	File    string `json:"file"`
}

func (sh *shell) deploy(c *cobra.Command, client *app.Client, files []*file) error {
	all := []deployedJSON{}
	t := sh.Table("WORKFLOW", "CHANGE", "VERSION", "STATE", "FILE")
	for _, f := range files {
		d, problems, err := client.Catalog.Deploy(c.Context(), f.path, f.src)
		if err != nil {
			return err
		}
		for _, p := range problems {
			say(sh.Err, "%v", p)
		}
		all = append(all, deployedJSON{d.Name, string(d.Change), d.Version, string(d.State), f.path})
		t.Add(d.Name, string(d.Change), terminal.Short(d.Version, 13), string(d.State), f.path)
	}
	if sh.JSON() {
		return sh.PrintJSON(all)
	}
	return t.Print(sh.Out)
}
