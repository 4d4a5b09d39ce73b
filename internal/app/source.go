package app

import (
	"fmt"
	"os"
	"path/filepath"

	"zflow/actions/http"
	"zflow/engine/definition"
	"zflow/internal/described"
)

// ReadWorkflow reads the file of a workflow, with the descriptions of its own actions
// from the folder actions beside it. What is wrong with these comes as problems.
func ReadWorkflow(file string) ([]byte, definition.Problems, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	return described.Inline(file, src, checking())
}

// checking is a client for descriptions that are only checked.
func checking() *http.Client {
	c, _ := http.New(http.Options{}) // without options nothing can be wrong
	return c
}

// NewAction writes a description to begin with into a folder's actions, and returns
// its file.
func NewAction(dir, name string) (string, error) {
	text, err := described.Skeleton(name)
	if err != nil {
		return "", err
	}
	registry, err := Actions(ActionsConfig{})
	if err != nil {
		return "", err
	}
	if registry.Get(name) != nil {
		return "", fmt.Errorf("zflow has an action %s itself: give yours another name", name)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", fmt.Errorf("writing an action: there is no folder %s", dir)
	}
	file := filepath.Join(dir, described.Folder, name+".yaml")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", fmt.Errorf("writing an action: %w", err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", fmt.Errorf("writing an action: %w", err)
	}
	_, err = f.WriteString(text)
	if failed := f.Close(); err == nil {
		err = failed
	}
	return file, err
}
