package trigger

import (
	"fmt"
	"os"
	"strings"

	"zflow/actions"
	"zflow/engine/definition"
	"zflow/internal/app"
	"zflow/internal/scope"
	"zflow/internal/terminal"
	"zflow/internal/zoomcatalog"

	"github.com/spf13/cobra"
)

// need is what some events and actions need, for programs.
type need struct {
	Of          []string `json:"of"`
	AnyOf       []string `json:"any_of"`
	UserScopes  []string `json:"user_scopes"`
	AdminScopes []string `json:"admin_scopes"`
	Basis       string   `json:"basis"`
}

// Scopes returns the command scopes.
func Scopes(sh *terminal.Shell) *cobra.Command {
	s := &shell{sh}
	return s.PrintsData(&cobra.Command{
		Use: "scopes [FILE|DIR…]", Short: "List the Zoom scopes that workflows need", Args: cobra.ArbitraryArgs,
		Long: `List the Zoom scopes that workflow files need (default: those in this folder): for the
events that start them or that they wait for, and for the operations that they call.
Of each line any one scope suffices: those of the user level for an app that a user
adds, those of the account level for one that an administrator adds.`,
		Example: "  zflow scopes workflows/\n  zflow scopes report.yaml --output json | jq '.[].any_of'",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"."}
			}
			needs, err := needsOf(args)
			if err != nil {
				return err
			}
			return s.needs(needs)
		},
	})
}

func needsOf(paths []string) ([]scope.Need, error) {
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		return nil, err
	}
	known := app.Known(registry, nil)
	var all [][]scope.Need
	for _, path := range paths {
		files, err := filesAt(path)
		if err != nil {
			return nil, fmt.Errorf("reading workflows: %w", err)
		}
		for _, file := range files {
			needs, err := needsOfFile(file, registry, known)
			if err != nil {
				return nil, err
			}
			all = append(all, needs)
		}
	}
	return scope.Union(all...), nil
}

func filesAt(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	files, err := app.WorkflowFiles(path)
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("the folder %s holds no .yaml file", path)
	}
	return files, err
}

func needsOfFile(file string, registry *actions.Registry, known definition.Known) ([]scope.Need, error) {
	src, _, err := app.ReadWorkflow(file)
	if err != nil {
		return nil, fmt.Errorf("reading workflows: %w", err)
	}
	w, problems := definition.Parse(file, src, known)
	if w == nil {
		for _, p := range problems {
			if !p.Warning {
				return nil, fmt.Errorf("%v (zflow validate %s prints all that is wrong)", p, file)
			}
		}
		return nil, fmt.Errorf("%s is no workflow", file)
	}
	return scope.Of(w, func(name string) ([]string, bool) {
		a := registry.Get(name)
		if a == nil || !strings.HasPrefix(name, "zoom.") {
			return nil, false
		}
		return a.Spec.Scopes, true
	}), nil
}

func (sh *shell) needs(needs []scope.Need) error {
	if sh.JSON() {
		all := make([]need, len(needs))
		for i, n := range needs {
			all[i] = need{Of: n.Of, AnyOf: some(n.AnyOf), Basis: string(n.Basis),
				UserScopes: some(n.At(zoomcatalog.UserLevel)), AdminScopes: some(n.At(zoomcatalog.AccountLevel))}
		}
		return sh.PrintJSON(all)
	}
	t := sh.Table("USER LEVEL, ANY OF", "ACCOUNT LEVEL, ANY OF", "FOR")
	for _, n := range needs {
		user, account := strings.Join(n.At(zoomcatalog.UserLevel), " "), strings.Join(n.At(zoomcatalog.AccountLevel), " ")
		t.Add(orDash(user, n), orDash(account, n), terminal.Short(strings.Join(n.Of, ", "), 100))
	}
	return t.Print(sh.Out)
}

func orDash(scopes string, n scope.Need) string {
	switch {
	case scopes == "" && n.Basis == zoomcatalog.Unknown:
		return "unknown"
	case scopes == "":
		return "-"
	case n.Basis == zoomcatalog.Assumed:
		return scopes + " (assumed)"
	}
	return scopes
}
