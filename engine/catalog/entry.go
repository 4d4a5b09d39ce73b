package catalog

import (
	"encoding/json"
	"fmt"
	"time"
)

// State says what happens to a workflow's events.
type State string

// States.
const (
	Active     State = "active"     // events start runs
	Paused     State = "paused"     // events wait; runs under way go on
	Removed    State = "removed"    // events pass by; runs under way go on
	Unreadable State = "unreadable" // the entry is not ours to read; Get says why
)

// Entry says which version of a workflow is deployed.
type Entry struct {
	Name            string    `json:"name"`
	Version         string    `json:"version"`
	State           State     `json:"state"`
	FirstDeployedAt time.Time `json:"first_deployed_at"` // since it was last removed
	DeployedAt      time.Time `json:"deployed_at"`
	File            string    `json:"file"` // from which it was deployed
	Revision        uint64    `json:"revision"`
}

// stored is what stands in the bucket under a workflow's name.
type stored struct {
	Version         string    `json:"version"`
	State           State     `json:"state"`
	FirstDeployedAt time.Time `json:"first_deployed_at"`
	DeployedAt      time.Time `json:"deployed_at"`
	File            string    `json:"file,omitempty"`
}

func (e Entry) encode() ([]byte, error) {
	return json.Marshal(stored{e.Version, e.State, e.FirstDeployedAt, e.DeployedAt, e.File})
}

func decodeEntry(name string, value []byte, revision uint64) (Entry, error) {
	var s stored
	if err := json.Unmarshal(value, &s); err != nil {
		return Entry{}, fmt.Errorf("reading the definition of %s: %w", name, err)
	}
	switch s.State {
	case Active, Paused, Removed:
		return Entry{name, s.Version, s.State, s.FirstDeployedAt, s.DeployedAt, s.File, revision}, nil
	}
	return Entry{}, fmt.Errorf("reading the definition of %s: state %q is not known to this zflow", name, s.State)
}

// level is that of the engine which this package deploys for. A version that
// names a higher one is left alone.
const level = 1

// version is what stands in the bucket under a workflow's name and version.
type version struct {
	Level  int               `json:"level"`
	Source string            `json:"source"`
	Code   map[string]string `json:"code,omitempty"` // bundles by the paths of the steps that run them
}
