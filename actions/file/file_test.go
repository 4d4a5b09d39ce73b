package file_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"

	"zflow/actions"
	"zflow/actions/actionstest"
	"zflow/actions/file"
)

type object = map[string]any

// rig is a folder beside one that nobody may reach.
type rig struct {
	t        *testing.T
	dir, out string
	all      map[string]*actions.Action
}

func open(t *testing.T) *rig {
	t.Helper()
	top := t.TempDir()
	r := &rig{t: t, dir: filepath.Join(top, "in"), out: filepath.Join(top, "out"), all: map[string]*actions.Action{}}
	for _, d := range []string{r.dir, r.out} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	r.put(filepath.Join(r.out, "secret.txt"), "untouched")
	for _, a := range file.Actions(file.Options{Folders: map[string]string{"reports": r.dir}, Files: memory()}) {
		r.all[strings.TrimPrefix(a.Spec.Name, "file.")] = a
	}
	return r
}

// memory keeps files as the store of blobs does.
func memory() actions.Files {
	var mu sync.Mutex
	kept := map[string][]byte{}
	return actions.Files{
		Put: func(_ context.Context, r io.Reader, f actions.File, most int64) (actions.File, error) {
			raw, err := io.ReadAll(r)
			sum := sha256.Sum256(raw)
			f.ID, f.Size, f.SHA256 = "file."+hex.EncodeToString(sum[:4]), int64(len(raw)), hex.EncodeToString(sum[:])
			mu.Lock()
			defer mu.Unlock()
			kept[f.ID] = raw
			return f, err
		},
		Open: func(_ context.Context, f actions.File) (io.ReadCloser, error) {
			mu.Lock()
			defer mu.Unlock()
			if raw, ok := kept[f.ID]; ok {
				return io.NopCloser(bytes.NewReader(raw)), nil
			}
			return nil, errors.New("it is gone")
		},
	}
}

func (r *rig) put(path, text string) {
	r.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) do(name string, input object, change ...func(*actions.Call)) (object, *actions.Error) {
	r.t.Helper()
	c := actions.Call{Input: input}
	for _, f := range change {
		f(&c)
	}
	got, err := r.all[name].Do(r.t.Context(), c)
	var e *actions.Error
	if errors.As(err, &e) {
		if strings.Contains(e.Message, r.dir) {
			r.t.Errorf("%s: the error shows where the folder is: %s", name, e.Message)
		}
		return nil, e
	}
	if err != nil {
		r.t.Fatalf("%s: a plain error: %v", name, err)
	}
	for _, problem := range actionstest.Check(r.all[name].Spec.Output, got.Output) {
		r.t.Errorf("%s: output: %s", name, problem)
	}
	return got.Output.(object), nil
}

func (r *rig) must(name string, input object) object {
	r.t.Helper()
	got, err := r.do(name, input)
	if err != nil {
		r.t.Fatalf("%s %v: %v", name, input, err)
	}
	return got
}

func (r *rig) refused(name string, input object, code string) {
	r.t.Helper()
	if got, err := r.do(name, input); err == nil || err.Code != code || err.Class != actions.ClassFinal {
		r.t.Errorf("%s %v: %v, %+v; want code %q", name, input, got, err, code)
	}
}

func TestWriteAndRead(t *testing.T) {
	r := open(t)
	r.must("write", object{"path": "a/b/c.txt", "text": "Grüße\n"})
	got := r.must("read", object{"folder": "reports", "path": "a/b/c.txt"})
	if got["text"] != "Grüße\n" || got["size"] != int64(8) {
		t.Errorf("%v", got)
	}
	r.must("write", object{"path": "n.json", "json": object{"n": int64(9007199254740993), "h": "<b>"}})
	if got := r.must("read", object{"path": "n.json", "as": "json"}); !reflect.DeepEqual(got["json"], object{"n": int64(9007199254740993), "h": "<b>"}) {
		t.Errorf("%v", got)
	}
	r.must("write", object{"path": "bin", "base64": "AAH/"})
	if got := r.must("read", object{"path": "bin", "as": "base64"}); got["base64"] != "AAH/" {
		t.Errorf("%v", got)
	}
	r.refused("read", object{"path": "bin"}, "wrong_type")
	r.refused("read", object{"path": "bin", "as": "json"}, "wrong_type")
	ref := r.must("read", object{"path": "bin", "as": "file"})["file"]
	r.must("write", object{"path": "copy/bin2", "file": ref})
	if raw, _ := os.ReadFile(filepath.Join(r.dir, "copy/bin2")); string(raw) != "\x00\x01\xff" {
		t.Errorf("%q", raw)
	}
	r.put(filepath.Join(r.dir, "big"), strings.Repeat("x", 5<<20))
	r.refused("read", object{"path": "big"}, "too_large")
}

// TestNothingIsOverwritten unless asked; a repeat of the same content succeeds.
func TestNothingIsOverwritten(t *testing.T) {
	r := open(t)
	r.must("write", object{"path": "a", "text": "one"})
	r.must("write", object{"path": "a", "text": "one"})
	r.refused("write", object{"path": "a", "text": "two"}, "exists")
	r.must("write", object{"path": "b", "text": "b"})
	r.refused("move", object{"path": "b", "to": "a"}, "exists")
	if got := r.must("read", object{"path": "a"}); got["text"] != "one" {
		t.Errorf("%v", got)
	}
	r.must("write", object{"path": "a", "text": "two", "overwrite": true})
	r.must("move", object{"path": "b", "to": "a", "overwrite": true})
	if got := r.must("read", object{"path": "a"}); got["text"] != "b" {
		t.Errorf("%v", got)
	}
	r.refused("move", object{"path": "b", "to": "a"}, "not_found")
	if _, err := r.do("move", object{"path": "b", "to": "a"}, func(c *actions.Call) { c.Unknown = true }); err != nil {
		t.Errorf("a move that an earlier attempt made: %v", err)
	}
	os.Link(filepath.Join(r.dir, "a"), filepath.Join(r.dir, "half")) // an attempt that was lost in the middle
	r.must("move", object{"path": "a", "to": "half"})
	if entries, _ := os.ReadDir(r.dir); len(entries) != 1 {
		t.Errorf("left are %v", entries)
	}
	if r.must("delete", object{"path": "half"})["deleted"] != true || r.must("delete", object{"path": "half"})["deleted"] != false {
		t.Error("deleting twice")
	}
}

func TestAppend(t *testing.T) {
	r := open(t)
	for range 3 {
		r.must("write", object{"path": "log/x", "text": "line\n", "append": true})
	}
	if got := r.must("read", object{"path": "log/x"}); got["text"] != "line\nline\nline\n" {
		t.Errorf("%v", got)
	}
	a := r.all["write"]
	if a.Effect(object{"append": true}) != actions.Write || a.Effect(object{"append": false}) != actions.Idempotent {
		t.Error("appending twice is not as once")
	}
}

// TestNothingOutside: no path and no link leads out of the folder.
func TestNothingOutside(t *testing.T) {
	r := open(t)
	for link, to := range map[string]string{"abs": r.out, "rel": "../out", "file": filepath.Join(r.out, "secret.txt"), "self": "self", "dangling": filepath.Join(r.out, "new.txt")} {
		if err := os.Symlink(to, filepath.Join(r.dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	syscall.Mkfifo(filepath.Join(r.dir, "pipe"), 0o600)
	os.Mkdir(filepath.Join(r.dir, "dir"), 0o700)
	for _, p := range []string{
		"../out/secret.txt", "/etc/passwd", r.out + "/secret.txt", "a/../../out/secret.txt", "dir/../../out/secret.txt", "..", "abs/secret.txt", "rel/secret.txt",
		"file", "dangling", "self", "", "a\x00b", "a\nb", `..\out`, "\xff", strings.Repeat("a/", 600) + "a", "x.zflow-part",
	} {
		for name, input := range map[string]object{
			"read": {"path": p}, "write": {"path": p, "text": "bad"}, "move": {"path": p, "to": "got", "overwrite": true}, "delete": {"path": p},
		} {
			if got, err := r.do(name, input); err == nil && !(p == "file" || p == "dangling" || p == "self") {
				t.Errorf("%s %q: %v", name, p, got)
			}
		}
		for _, input := range []object{{"path": p, "text": "bad", "overwrite": true}, {"path": p, "text": "bad", "append": true}} {
			r.do("write", input)
		}
		os.WriteFile(filepath.Join(r.dir, "mine"), []byte("bad"), 0o600)
		r.do("move", object{"path": "mine", "to": p, "overwrite": true})
		r.do("list", object{"path": p, "recursive": true})
	}
	entries, err := os.ReadDir(r.out)
	raw, _ := os.ReadFile(filepath.Join(r.out, "secret.txt"))
	if err != nil || len(entries) != 1 || string(raw) != "untouched" {
		t.Fatalf("outside there are %v, with %q", entries, raw)
	}
	r.refused("read", object{"path": "pipe"}, "no_file")
	r.refused("write", object{"path": "pipe", "text": "x", "overwrite": true}, "no_file")
	r.refused("write", object{"path": "pipe", "text": "x", "append": true}, "no_file")
	r.refused("delete", object{"path": "dir"}, "no_file")
	r.refused("read", object{"path": "dir"}, "no_file")
}

func TestList(t *testing.T) {
	r := open(t)
	for _, p := range []string{"b.csv", "a.csv", "sub/c.csv", "sub/d.txt", "sub/deep/e.csv"} {
		r.must("write", object{"path": p, "text": p})
	}
	r.put(filepath.Join(r.dir, ".x.zflow-part"), "half")
	os.Symlink(r.out, filepath.Join(r.dir, "way"))
	for want, input := range map[string]object{
		"a.csv b.csv sub/": {}, "a.csv b.csv": {"pattern": "*.csv"}, "sub/c.csv sub/d.txt sub/deep/": {"path": "sub"},
		"a.csv b.csv sub/c.csv sub/deep/e.csv": {"pattern": "*.csv", "recursive": true},
	} {
		var got []string
		for _, item := range r.must("list", input)["items"].([]any) {
			p := item.(object)["path"].(string)
			if item.(object)["folder"] == true {
				p += "/"
			}
			got = append(got, p)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%v: %v, want %s", input, got, want)
		}
	}
	r.refused("list", object{"path": "none"}, "not_found")
	r.refused("list", object{"path": "a.csv"}, "no_file")
	r.refused("list", object{"pattern": "["}, "")
}

func TestWrongInputs(t *testing.T) {
	r := open(t)
	r.refused("read", object{"path": "a", "folder": "other"}, "no_folder")
	for _, input := range []object{
		{"path": "a"}, {"path": "a", "text": "x", "json": int64(1)}, {"path": "a", "text": int64(1)}, {"path": "a", "base64": "?"},
		{"path": "a", "file": object{"name": "x"}}, {"path": "a", "text": "x", "overwrite": "yes"}, {"path": "a", "text": "x", "overwrite": true, "append": true},
		{"path": "a", "file": object{"file": "gone", "size": int64(1), "sha256": "00", "name": "x", "type": ""}},
	} {
		r.refused("write", input, "")
	}
	for _, a := range file.Actions(file.Options{}) {
		_, err := a.Do(t.Context(), actions.Call{Input: object{"path": "a", "to": "b", "text": "x"}})
		if err == nil || !strings.Contains(err.Error(), "worker.folders") {
			t.Errorf("%s without folders: %v", a.Spec.Name, err)
		}
	}
}

func TestSpecs(t *testing.T) {
	for name := range open(t).all {
		r := open(t)
		r.put(filepath.Join(r.dir, "rooms.json"), "[]")
		os.MkdirAll(filepath.Join(r.dir, "2026"), 0o700)
		os.MkdirAll(filepath.Join(r.dir, "inbox"), 0o700)
		r.put(filepath.Join(r.dir, "2026/march.pdf"), "%PDF")
		r.put(filepath.Join(r.dir, "inbox/a.csv"), "a")
		for _, x := range r.all[name].Spec.Examples {
			if got := r.must(name, x.Input); x.Output != nil && !reflect.DeepEqual(any(got), x.Output) {
				t.Errorf("%s: %v, want %v", x.Title, got, x.Output)
			}
		}
	}
}
