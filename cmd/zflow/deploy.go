package main

import (
	"zflow/internal/app"

	"github.com/spf13/cobra"
)

func deployCommand(sh *shell) *cobra.Command {
	return sh.printsData(sh.asksServer(&cobra.Command{
		Use:   "deploy FILE|DIR…",
		Short: "Check workflow files and make them the active versions",
		Long: `Check workflow files and make them the active versions. Where one has an error,
none is deployed. Runs under way keep the version they began with.`,
		Example: "  zflow deploy welcome.yaml\n  zflow deploy workflows/ --server nats://broker:4222",
		Args:    args("FILE or DIR…"),
		RunE: func(c *cobra.Command, args []string) error {
			files, err := readFiles(args)
			if err != nil {
				return err
			}
			if err := failedIf(files); err != nil {
				return errFirst(sh.printProblems(files), err)
			}
			client, err := sh.open(c.Context())
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
	t := sh.table("WORKFLOW", "CHANGE", "VERSION", "STATE", "FILE")
	for _, f := range files {
		d, problems, err := client.Catalog.Deploy(c.Context(), f.path, f.src)
		if err != nil {
			return err
		}
		for _, p := range problems {
			say(sh.err, "%v", p)
		}
		all = append(all, deployedJSON{d.Name, string(d.Change), d.Version, string(d.State), f.path})
		t.add(d.Name, string(d.Change), short(d.Version, 13), string(d.State), f.path)
	}
	if sh.json() {
		return sh.printJSON(all)
	}
	return t.print(sh.out)
}
