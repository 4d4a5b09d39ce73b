package described

import (
	"embed"
	"fmt"

	"zflow/actions"
	"zflow/actions/http"
)

//go:embed family/*.yaml
var family embed.FS

// Family returns the actions whose descriptions are part of zflow.
func Family(client *http.Client) ([]*actions.Action, error) {
	files, err := family.ReadDir("family")
	if err != nil {
		return nil, err
	}
	all := make([]*actions.Action, 0, len(files))
	for _, f := range files {
		src, err := family.ReadFile("family/" + f.Name())
		if err != nil {
			return nil, err
		}
		a, problems := Read(f.Name(), src, client)
		if err := problems.Err(); err != nil {
			return nil, fmt.Errorf("reading an action: %w", err)
		}
		all = append(all, a)
	}
	return all, nil
}
