package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const catalog = "../../zoomcatalog"

func TestTablesAreCurrent(t *testing.T) {
	want, err := tables(catalog)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(catalog, "tables.go"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("tables.go is not what its data gives: run go generate ./internal/zoomcatalog")
	}
}

func TestFaultsInTheDataAreNamed(t *testing.T) {
	for name, c := range map[string]struct{ events, want string }{
		"too few fields": {"a.b\tx\n", "events.tsv:1: 2 fields instead of 3"},
		"not sorted":     {"# comment\nb\tx\t\na\tx\t\n", "events.tsv:3: a is not after b"},
		"twice":          {"a\tx\t\na\tx\t\n", "events.tsv:2: a is not after a"},
		"unknown shape":  {"a\tx\tround\n", `event a: unknown shape "round"`},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "data", "events.tsv"), c.events)
		write(t, filepath.Join(dir, "data", "operations.tsv"), "")
		_, err := tables(dir)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAMissingTableIsAnError(t *testing.T) {
	if _, err := tables(t.TempDir()); err == nil {
		t.Error("no error")
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if text == "" {
		text = "# nothing\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
