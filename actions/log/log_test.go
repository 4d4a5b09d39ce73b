package log_test

import (
	"context"
	"errors"
	"testing"

	"zflow/actions"
	"zflow/actions/log"
)

func do(t *testing.T, input map[string]any) (line string, out any, err error) {
	t.Helper()
	r, err := log.Action().Do(t.Context(), actions.Call{Input: input, Log: func(l string) { line += l }})
	return line, r.Output, err
}

func TestLine(t *testing.T) {
	for want, input := range map[string]map[string]any{
		"done":                       {"message": "done"},
		"warn: slow":                 {"message": "slow", "level": "warn"},
		"45":                         {"message": int64(45)},
		`{"a":"<b>"}`:                {"message": map[string]any{"a": "<b>"}},
		`done a=1 b="x y" c=[1,2]`:   {"message": "done", "fields": map[string]any{"c": []any{int64(1), int64(2)}, "a": int64(1), "b": "x y"}},
		`error: done who="Ann\nEve"`: {"message": "done", "level": "error", "fields": map[string]any{"who": "Ann\nEve"}},
		"info is not said":           {"message": "info is not said", "level": "info", "fields": nil},
	} {
		line, _, err := do(t, input)
		if err != nil || line != want {
			t.Errorf("%v: wrote %q, %v; want %q", input, line, err, want)
		}
	}
}

func TestOutputIsTheMessage(t *testing.T) {
	_, out, err := do(t, map[string]any{"message": "done", "level": "warn", "fields": map[string]any{"a": int64(1)}})
	if err != nil || out.(map[string]any)["message"] != "done" {
		t.Errorf("output %v, %v", out, err)
	}
}

func TestBadInputIsFinal(t *testing.T) {
	for name, input := range map[string]map[string]any{
		"no message":    {},
		"unknown level": {"message": "x", "level": "loud"},
		"level a list":  {"message": "x", "level": []any{}},
		"fields a text": {"message": "x", "fields": "a=1"},
	} {
		line, _, err := do(t, input)
		var e *actions.Error
		if !errors.As(err, &e) || e.Class != actions.ClassFinal || line != "" {
			t.Errorf("%s: %v, wrote %q", name, err, line)
		}
	}
}

func TestNobodyListens(t *testing.T) {
	if _, err := log.Action().Do(context.Background(), actions.Call{Input: map[string]any{"message": "x"}}); err != nil {
		t.Error(err)
	}
}
