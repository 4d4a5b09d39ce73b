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

// row is a line of events.tsv that has no fault.
func row(name string) []string {
	return []string{name, "x", "", "whole", "a:read", "", "stated", "no", "", "Something happened"}
}

func TestFaultsInTheDataAreNamed(t *testing.T) {
	with := func(column int, text string) string {
		r := row("a.b")
		r[column] = text
		return strings.Join(r, "\t") + "\n"
	}
	line := func(name string) string { return strings.Join(row(name), "\t") + "\n" }
	for name, c := range map[string]struct{ events, keys, want string }{
		"too few fields":         {"a.b\tx\n", "", "events.tsv:1: 2 fields instead of 10"},
		"not sorted":             {"# comment\n" + line("b") + line("a"), "", "events.tsv:3: a is not after b"},
		"twice":                  {line("a") + line("a"), "", "events.tsv:2: a is not after a"},
		"unknown shape":          {with(2, "round"), "", `event a.b: unknown shape "round"`},
		"unknown key":            {with(3, "odd"), "", `event a.b: unknown business key "odd"`},
		"stated without scopes":  {with(4, ""), "", `event a.b: its scopes are not "stated"`},
		"unknown with scopes":    {with(6, "unknown"), "", `event a.b: its scopes are not "unknown"`},
		"a basis that is none":   {with(6, "guessed"), "", `event a.b: its scopes are not "guessed"`},
		"deprecated or not":      {with(7, "maybe"), "", `event a.b: deprecated is "maybe", not yes or no`},
		"like nothing":           {with(8, "c.d"), "", "event a.b: it is like c.d, which is no event"},
		"no description":         {with(9, ""), "", "event a.b: it has no description"},
		"a key with few columns": {with(3, "k"), "k\tobject.id\n", "keys.tsv:1: 2 fields instead of 4"},
		"a key of nothing":       {with(3, "k"), "k\t\t\tobject.id\n", "business key k: it names nothing that the event is about"},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "data", "events.tsv"), c.events)
		write(t, filepath.Join(dir, "data", "keys.tsv"), c.keys)
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
