package app

import (
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// devState is what the commands beside `zflow dev` read from its data folder.
type devState struct {
	NATS       string `json:"nats"`
	Ingest     string `json:"ingest"`
	Sim        string `json:"sim,omitempty"`
	ZoomSecret string `json:"zoom_secret"`
	Console    string `json:"console,omitempty"`
	APIToken   string `json:"api_token"`
	public     string // sealing key
}

const devStateFile = "dev.json"

// readDevState reads what an earlier start left, so that secrets stay.
func readDevState(data string) (s devState, err error) {
	file := filepath.Join(data, devStateFile)
	raw, err := os.ReadFile(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return s, fmt.Errorf("reading the data folder: %w", err)
	default:
		if err := json.Unmarshal(raw, &s); err != nil {
			return s, fmt.Errorf("reading %s: %w: remove the file, a new one is made", file, err)
		}
	}
	if s.ZoomSecret == "" {
		s.ZoomSecret = rand.Text()
	}
	if s.APIToken == "" {
		s.APIToken = rand.Text()
	}
	return s, nil
}

func (s devState) write(data string) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	file := filepath.Join(data, devStateFile)
	_ = os.Remove(file + ".new") // left by a start that was cut off, perhaps for all to read
	if err := os.WriteFile(file+".new", append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing to the data folder: %w", err)
	}
	return os.Rename(file+".new", file)
}

//go:embed starter.yaml
var starter []byte

// writeStarter puts a first workflow into a folder that has none.
func writeStarter(dir string, out io.Writer) error {
	files, err := WorkflowFiles(dir)
	if err != nil || len(files) > 0 {
		return err
	}
	file := filepath.Join(dir, "hello.yaml")
	if err := os.WriteFile(file, starter, 0o644); err != nil {
		return fmt.Errorf("writing a first workflow: %w", err)
	}
	fmt.Fprintf(out, "%s: a first workflow, yours to change\n", file)
	return nil
}
