package exec_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"zflow/actions"
	"zflow/actions/actionstest"
	"zflow/actions/exec"
	"zflow/internal/child"
)

type object = map[string]any

type rig struct {
	t      *testing.T
	folder string
	kept   map[string][]byte
	action *actions.Action
}

func open(t *testing.T) *rig {
	t.Helper()
	if !child.Limited {
		t.Skip("limits of programs are known on Linux only")
	}
	r := &rig{t: t, folder: t.TempDir(), kept: map[string][]byte{}}
	shell := exec.Program{Path: "/bin/sh", Args: []string{"-c"}, Timeout: 10 * time.Second, Processes: 20}
	again := shell
	again.Effect = actions.Idempotent
	r.action = exec.Action(exec.Options{
		Programs: map[string]exec.Program{"sh": shell, "again": again, "cat": {Path: "/bin/cat"}, "gone": {Path: "/no/such/program"}, "echo": {Path: "/bin/echo", Args: []string{"-n"}}},
		Folder:   r.folder, Reveal: func(text string) (string, error) { return strings.ReplaceAll(text, sealed, "hunter2"), nil },
		Files: actions.Files{
			Put: func(_ context.Context, from io.Reader, f actions.File, _ int64) (actions.File, error) {
				raw, err := io.ReadAll(from)
				f.ID, f.Size, f.SHA256 = "file."+f.Name, int64(len(raw)), "00"
				r.kept[f.ID] = raw
				return f, err
			},
			Open: func(_ context.Context, f actions.File) (io.ReadCloser, error) {
				if raw, ok := r.kept[f.ID]; ok {
					return io.NopCloser(bytes.NewReader(raw)), nil
				}
				return nil, errors.New("it is gone")
			},
		},
	})
	return r
}

const sealed = "~zf1.abcdefgh.AAAABBBBCCCC-_~"

func (r *rig) do(ctx context.Context, input object) (object, *actions.Error) {
	r.t.Helper()
	got, err := r.action.Do(ctx, actions.Call{Input: input})
	if left, _ := os.ReadDir(r.folder); len(left) != 0 {
		r.t.Errorf("left behind: %v", left)
	}
	var e *actions.Error
	if errors.As(err, &e) {
		return nil, e
	}
	if err != nil {
		r.t.Fatalf("a plain error: %v", err)
	}
	for _, problem := range actionstest.Check(r.action.Spec.Output, got.Output) {
		r.t.Errorf("output: %s", problem)
	}
	return got.Output.(object), nil
}

func (r *rig) sh(script string, more ...object) (object, *actions.Error) {
	r.t.Helper()
	input := object{"program": "sh", "args": []any{script}}
	for _, m := range more {
		for k, v := range m {
			input[k] = v
		}
	}
	return r.do(r.t.Context(), input)
}

func TestRun(t *testing.T) {
	r := open(t)
	got, err := r.sh("cat; echo oops >&2; exit 3", object{"stdin": "hé\n", "ok_codes": []any{int64(3)}})
	if want := (object{"code": int64(3), "stdout": "hé\n", "stderr": "oops\n", "files": object{}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	got, err = r.do(t.Context(), object{"program": "echo", "args": []any{"$HOME; `id` *", int64(7)}})
	if err != nil || got["stdout"] != "$HOME; `id` * 7" {
		t.Errorf("arguments are not as they were given: %v, %v", got, err)
	}
	t.Setenv("ZFLOW_SECRET", "hunter2")
	if got, err = r.sh("env; pwd; ls -a"); err != nil || strings.Contains(got["stdout"].(string), "hunter2") || !strings.Contains(got["stdout"].(string), "zflow-exec-") {
		t.Errorf("%v, %v", got, err)
	}
}

func TestFiles(t *testing.T) {
	r := open(t)
	r.kept["file.in"] = []byte("\x00bytes")
	ref := object{"file": "file.in", "name": "in", "type": "", "size": int64(6), "sha256": "00"}
	got, err := r.sh("cat a.bin note.txt > out.bin; echo x > p1.csv; echo y > p2.csv; mkdir d; ln -s /etc/passwd leak.csv; mkfifo pipe.csv",
		object{"files": object{"a.bin": ref, "note.txt": "hello"}, "outputs": []any{"out.bin", "*.csv"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(got["files"].(object)) != 3 || string(r.kept["file.out.bin"]) != "\x00byteshello" || string(r.kept["file.p2.csv"]) != "y\n" {
		t.Errorf("%v, %q", got["files"], r.kept)
	}
	if f, ok := actions.FileOf(got["files"].(object)["out.bin"]); !ok || f.Name != "out.bin" {
		t.Errorf("%v", got["files"])
	}
	if _, err := r.sh("true", object{"outputs": []any{"none"}}); err == nil || err.Code != "no_output" {
		t.Errorf("%v", err)
	}
}

// TestEnds: what an end means for the next attempt.
func TestEnds(t *testing.T) {
	r := open(t)
	for script, want := range map[string]actions.Error{
		"echo a >&2; echo 'no luck' >&2; exit 7":      {Class: actions.ClassFinal, Code: "7", Message: "sh ended with code 7: no luck"},
		"exit 75":                                     {Class: actions.ClassRetryable, Code: "75", Message: "sh ended with code 75"},
		"kill -SEGV $$":                               {Class: actions.ClassUnknown, Code: "killed"},
		"yes | head -c 2000000":                       {Class: actions.ClassUnknown, Code: "killed", Message: "sh was ended: it wrote more than 1024 KiB"},
		"for i in $(seq 60); do sleep 9 & done; wait": {Class: actions.ClassUnknown, Code: "killed", Message: "sh was ended: it had more than 20 processes"},
	} {
		got, err := r.sh(script)
		if err == nil || err.Class != want.Class || err.Code != want.Code || !strings.HasPrefix(err.Message, want.Message) {
			t.Errorf("%s: %v, %+v", script, got, err)
		}
	}
	if _, err := r.sh("sleep 60", object{"timeout": "100ms"}); err == nil || err.Class != actions.ClassUnknown || !strings.Contains(err.Message, "longer than 100ms") {
		t.Errorf("too long: %+v", err)
	}
	if _, err := r.sh("sleep 60", object{"program": "again", "timeout": "100ms"}); err == nil || err.Class != actions.ClassRetryable {
		t.Errorf("too long, and may run again: %+v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.do(ctx, object{"program": "sh", "args": []any{"sleep 60"}}); err == nil || !strings.Contains(err.Message, "it was canceled") {
		t.Errorf("canceled: %+v", err)
	}
	if r.action.Effect(object{"program": "again"}) != actions.Idempotent || r.action.Effect(object{"program": "sh"}) != actions.Write {
		t.Error("the effect is the configuration's")
	}
}

// TestCredentialsAreMasked: a program gets them opened, and does not bring them back.
func TestCredentialsAreMasked(t *testing.T) {
	r := open(t)
	got, err := r.sh("cat - f; test \"$0\" = hunter2 && echo same", object{"args": []any{"cat - f; test \"$0\" = hunter2 && echo same", sealed}, "stdin": "token " + sealed, "files": object{"f": " in " + sealed}})
	if err != nil || got["stdout"] != "token •••• in ••••same\n" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := r.sh("cat >&2; exit 1", object{"stdin": sealed}); err == nil || strings.Contains(err.Message, "hunter2") {
		t.Errorf("%v", err)
	}
	if got, err := r.sh("printf '%s' '~zf1.abcd'; printf '%s' 'efgh.AAAABBBBCCCC-_~'"); err != nil || got["stdout"] != "••••" {
		t.Errorf("a program makes up a sealed value: %v, %v", got, err)
	}
}

func TestWrongInputs(t *testing.T) {
	r := open(t)
	for says, input := range map[string]object{
		`"rm" is not allowed: worker.exec has again, cat, echo, gone, sh`: {"program": "rm"},
		`"" is not allowed`:            {},
		"cannot be run on this worker": {"program": "gone"},
		"args is a list":               {"program": "sh", "args": "x"},
		"args[1] is no text":           {"program": "sh", "args": []any{"true", object{}}},
		"args[0] is no text":           {"program": "sh", "args": []any{"a\x00b"}},
		"stdin is not text":            {"program": "sh", "stdin": object{}},
		"no exit code":                 {"program": "sh", "ok_codes": []any{int64(300)}},
		"timeout is a duration":        {"program": "sh", "timeout": "5"},
		"longer than the 10s":          {"program": "sh", "timeout": "1h"},
		"is no name of a file without": {"program": "sh", "files": object{"../x": "y"}},
		"neither text nor a file":      {"program": "sh", "files": object{"x": int64(1)}},
		"which is no name of a file, ": {"program": "sh", "outputs": []any{"/etc/passwd"}},
		"putting x into the folder":    {"program": "sh", "args": []any{"true"}, "files": object{"x": object{"file": "file.gone", "sha256": "00", "size": int64(1)}}},
	} {
		if got, err := r.do(t.Context(), input); err == nil || !strings.Contains(err.Message, says) {
			t.Errorf("%v: %v, %v; want %q", input, got, err, says)
		}
	}
	none := exec.Action(exec.Options{})
	if _, err := none.Do(t.Context(), actions.Call{Input: object{"program": "sh"}}); err == nil || !strings.Contains(err.Error(), "worker.exec names none") {
		t.Errorf("%v", err)
	}
}

// TestExamples runs those of the reference with programs that are made up here.
func TestExamples(t *testing.T) {
	r := open(t)
	dir := t.TempDir()
	for name, script := range map[string]string{"python3": "tr a-z A-Z", "pandoc": "cp report.md report.docx"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	o := exec.Options{Folder: r.folder, Programs: map[string]exec.Program{"python3": {Path: dir + "/python3"}, "pandoc": {Path: dir + "/pandoc"}}}
	o.Files.Put = func(_ context.Context, _ io.Reader, f actions.File, _ int64) (actions.File, error) {
		f.ID, f.SHA256 = "x", "00"
		return f, nil
	}
	for _, x := range exec.Action(o).Spec.Examples {
		if got, err := exec.Action(o).Do(t.Context(), actions.Call{Input: x.Input}); err != nil {
			t.Errorf("%s: %v, %v", x.Title, got, err)
		}
	}
}
