package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zflow/engine"
	"zflow/engine/definition"
)

// rested lets all files of a folder look as if nobody had touched them for long.
func rested(t *testing.T, dir string) {
	t.Helper()
	old := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, old, old)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What has not changed is not bundled again, and whatever it was made of counts.
func TestScriptsAreMadeOnce(t *testing.T) {
	dir := t.TempDir()
	for _, sub := range []string{"lib", "node_modules/p"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	put := func(name, text string) { putFile(t, filepath.Join(dir, name), text) }
	put("lib/x.ts", "import d from '../d.json'\nexport const x: number = d.n\n")
	put("d.json", `{"n":1}`)
	put("node_modules/p/index.js", "module.exports = 1\n")
	put("node_modules/.package-lock.json", "{}")
	s := newScripts()
	source := definition.Script{Workflow: filepath.Join(dir, "w.yaml"), Step: "a", Text: "import { x } from './lib/x'; import p from 'p'\nexport default () => x + p", Place: func(l, c int) (int, int) { return l, c }}
	get := func() *engine.Code {
		rested(t, dir)
		code, faults := s.of(source)
		if code == nil {
			t.Fatal(faults)
		}
		return code
	}
	last := get()
	same := func(what string, want bool) {
		t.Helper()
		next := get()
		if again := next == last; again != want {
			t.Errorf("%s: the bundle is the same: %v", what, again)
		}
		last = next
	}
	same("nothing", true)
	put("other.ts", "export default 1\n")
	same("a file that is not imported", true)
	put("d.json", `{"n":12}`)
	same("imported JSON", false)
	put("lib/x.ts", "export const x = 123456\n")
	same("an imported file", false)
	put("node_modules/p/index.js", "module.exports = 2\n")
	put("node_modules/.package-lock.json", `{"packages":{}}`)
	same("a package that was installed anew", false)
	source.Text += " + 1"
	same("the text", false)
	source.Place = func(l, c int) (int, int) { return l + 1, c }
	same("where the text stands", false)
	same("nothing", true)
	put("lib/x.ts", "export const x = (\n")
	rested(t, dir)
	if code, faults := s.of(source); code != nil || len(faults) != 1 {
		t.Error(code, faults)
	}
	put("lib/x.ts", "export const x = 123456\n")
	same("what was wrong", false)
}

// Files that change just now are read again: their time may not tell.
func TestScriptsOfFreshFiles(t *testing.T) {
	dir := t.TempDir()
	putFile(t, filepath.Join(dir, "x.ts"), "export default () => 1\n")
	future := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "x.ts"), future, future); err != nil {
		t.Fatal(err)
	}
	s := newScripts()
	source := definition.Script{Workflow: filepath.Join(dir, "w.yaml"), File: "x.ts"}
	one, _ := s.of(source)
	if two, _ := s.of(source); one == nil || one == two || one.Bundle != two.Bundle {
		t.Error("a file that may be changing was taken for the same")
	}
}

// Dev follows what code imports, also where it is not there yet.
func TestDevFollowsCode(t *testing.T) {
	step := "name: a\non: { zoom: meeting.ended }\nsteps:\n  - code: { file: ./steps/x.ts }\n"
	d, out, put := folderDev(t, map[string]string{"a.yaml": step})
	out.await(t, "there is no file ./steps/x.ts")
	if err := os.MkdirAll(filepath.Join(d.config.Dir, "steps"), 0o700); err != nil {
		t.Fatal(err)
	}
	put("steps/x.ts", "import { y } from './y'\nexport default () => y\n")
	out.await(t, "there is no file ./y")
	put("steps/y.ts", "export const y = 1\n")
	out.await(t, "workflow a created")
	put("steps/y.ts", "export const y = 1234\n")
	out.await(t, "workflow a updated")
	if first := deployed(t, d)["a"]; !strings.HasSuffix(first.File, "a.yaml") {
		t.Errorf("%+v", first)
	}
}
