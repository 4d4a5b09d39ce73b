// Package pipedream is `zflow import`: workflows of Pipedream become workflows of zflow.
package pipedream

import (
	"fmt"
	"strings"

	"zflow/internal/pipedream"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

// shell is the terminal, and what this command prints on it.
type shell struct{ *terminal.Shell }

// Commands returns the command import with those below it.
func Commands(sh *terminal.Shell) *cobra.Command {
	s := &shell{sh}
	return terminal.Group("import", "Bring workflows from elsewhere", s.importing())
}

// asked is what the command was called with.
type asked struct {
	path, out string
	force     bool
	triggers  []pipedream.Trigger
}

func (sh *shell) importing() *cobra.Command {
	var a asked
	var triggers []string
	c := sh.PrintsData(&cobra.Command{
		Use: "pipedream PATH", Short: "Translate workflows of Pipedream", Args: terminal.Args("PATH"),
		Long: `Translate workflows of Pipedream, as its GitHub Sync writes them.

PATH is a workflow.yaml (schema workflow/2022.04), or a folder in which such files
are. The workflow is printed, and what is left to do by hand on the error output; with
--out it is written, with the code of its steps in a folder beside it.

What started a workflow is not in Pipedream's file: --trigger says it, for all
triggers or, as ID=TRIGGER, for one.

Exits 0 when all was translated, hints aside; 1 when something is left to do, or
nothing could be read.`,
		Example: "  zflow import pipedream my-workflows/ --out workflows/\n" +
			"  zflow import pipedream p_abc/workflow.yaml --trigger 'zoom: meeting.ended'\n" +
			"  zflow import pipedream p_abc/ --trigger 'dc_1a2b3c=zoom: recording.completed'",
		RunE: func(_ *cobra.Command, args []string) error {
			a.path = args[0]
			for _, s := range triggers {
				t, err := pipedream.ReadTrigger(s)
				if err != nil {
					return terminal.Misused("%v", err)
				}
				a.triggers = append(a.triggers, t)
			}
			return sh.run(a)
		},
	})
	c.Flags().StringVar(&a.out, "out", "", "`folder` to write to, instead of printing")
	c.Flags().BoolVar(&a.force, "force", false, "overwrite what is there")
	c.Flags().StringArrayVar(&triggers, "trigger", nil, "what starts the workflow: the YAML of a `trigger`")
	return c
}

func (sh *shell) run(a asked) error {
	files, err := find(a.path)
	if err != nil {
		return err
	}
	if len(files) > 1 && a.out == "" && !sh.JSON() {
		return terminal.Misused("%s holds %d workflows: say with --out where to write them", a.path, len(files))
	}
	all, err := translateAll(files, a)
	if err != nil {
		return err
	}
	if a.out != "" {
		if err := writeAll(all, a); err != nil {
			return err
		}
	}
	if err := sh.report(all, a); err != nil {
		return err
	}
	if n := count(all, false); n > 0 {
		return fmt.Errorf("%s left to do by hand", terminal.Plural(n, "thing"))
	}
	return nil
}

func count(all []*translated, hint bool) int {
	n := 0
	for _, w := range all {
		for _, note := range w.Notes {
			if note.Hint == hint {
				n++
			}
		}
	}
	return n
}

type workflowJSON struct {
	Source string           `json:"source"`
	Name   string           `json:"name"`
	File   string           `json:"file"` // empty: it was not written
	YAML   string           `json:"yaml"`
	Notes  []pipedream.Note `json:"notes"`
}

func (sh *shell) report(all []*translated, a asked) error {
	if sh.JSON() {
		out := []workflowJSON{}
		for _, w := range all {
			out = append(out, workflowJSON{w.source, w.Name, w.file, string(w.YAML), append([]pipedream.Note{}, w.Notes...)})
		}
		return sh.PrintJSON(out)
	}
	var b strings.Builder
	for _, w := range all {
		if w.file != "" {
			fmt.Fprintf(&b, "%s: workflow %s from %s\n", w.file, w.Name, w.source)
		}
		for _, n := range w.Notes {
			fmt.Fprintln(&b, n)
		}
	}
	if a.out != "" {
		return sh.Print("%s%s, %s\n", b.String(), terminal.Plural(len(all), "workflow"), terminal.Plural(count(all, true), "hint"))
	}
	if err := sh.Print("%s", all[0].YAML); err != nil {
		return err
	}
	_, err := fmt.Fprint(sh.Err, b.String())
	return err
}
