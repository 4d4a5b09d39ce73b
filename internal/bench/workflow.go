package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// flow is the workflow that runs: three calls, one after another.
const flow = `name: bench
on:
  - zoom: meeting.ended
steps:
`

const flowStep = `  - id: %[1]s
    uses: http.request
    on_unknown: retry
    with:
      method: POST
      url: %[3]s/%[1]s
      json:
        run: ${{ event.payload.object.uuid }}
        step: %[2]d
`

// source is the workflow's text for an API.
func source(api string) string {
	var b strings.Builder
	b.WriteString(flow)
	for i, id := range []string{"one", "two", "three"} {
		fmt.Fprintf(&b, flowStep, id, i+1, api)
	}
	return b.String()
}

// folders makes what zflow needs to find.
func folders(o order) (flows, data string, err error) {
	flows, data = filepath.Join(o.Folder, "workflows"), filepath.Join(o.Folder, "data")
	if err := os.MkdirAll(flows, 0o700); err != nil {
		return "", "", fmt.Errorf("making a folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(flows, "bench.yaml"), []byte(source(o.API)), 0o600); err != nil {
		return "", "", fmt.Errorf("writing the workflow: %w", err)
	}
	return flows, data, nil
}
