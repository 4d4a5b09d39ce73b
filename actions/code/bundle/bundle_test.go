package bundle

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// folder makes files.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func text(dir, code string) Source {
	return Source{Dir: dir, Name: "w.yaml", Text: code, Place: func(line int) (int, int) { return line + 10, 6 }}
}

// Each thing that is wrong is one fault with its place.
func TestFaults(t *testing.T) {
	dir := folder(t, map[string]string{
		"bad.ts": "export const a = 1\n\nexport default async () => { return a +; }\n", "named.mjs": "export const a = 1\n", "data.yaml": "",
		"up.mjs": "import x from '../outside.mjs'\nexport default () => x\n", "package.json": "{}"})
	outside := folder(t, map[string]string{"outside.mjs": "export default 1\n"})
	if err := os.Symlink(filepath.Join(outside, "outside.mjs"), filepath.Join(dir, "link.mjs")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		source Source
		want   Fault
	}{
		"syntax":           {text(dir, "export default async () => {\n  let ü = ;\n}"), Fault{Line: 2, Column: 11, Message: `Unexpected ";"`}},
		"syntax in a file": {Source{Dir: dir, File: "./bad.ts"}, Fault{File: filepath.Join(dir, "bad.ts"), Line: 3, Column: 40, Message: `Unexpected ";"`}},
		"package":          {text(dir, "import _ from 'lodash/fp'\nexport default () => _"), Fault{Line: 1, Column: 15, Message: "the package lodash is not installed", Hint: "run npm ci in " + dir}},
		"import":           {text(dir, "import _ from './nothing'\nexport default () => _"), Fault{Line: 1, Column: 15, Message: "there is no file ./nothing"}},
		"no default":       {text(dir, "export const a = 1"), Fault{Message: "the code has no default export"}},
		"no default, file": {Source{Dir: dir, File: "named.mjs"}, Fault{File: filepath.Join(dir, "named.mjs"), Line: 1, Column: 1, Message: "the code has no default export"}},
		"no file":          {Source{Dir: dir, File: "x.ts"}, Fault{Message: "there is no file x.ts beside the workflow"}},
		"no code":          {Source{Dir: dir, File: "data.yaml"}, Fault{Message: "data.yaml is no file of code"}},
		"absolute":         {Source{Dir: dir, File: "/etc/x.js"}, Fault{Message: "/etc/x.js is not in the workflow's folder"}},
		"a link out":       {Source{Dir: dir, File: "link.mjs"}, Fault{Message: "link.mjs is not in the workflow's folder"}},
		"await outside":    {text(dir, "const a = await 1\nexport default () => a"), Fault{Line: 1, Column: 11, Message: `Top-level await is currently not supported with the "cjs" output format`}},
		"too large":        {text(dir, "export default () => '"+strings.Repeat("x", MaxSize)+"'"), Fault{Message: "the code and what it imports have 8193 KiB: at most 8192 KiB"}},
	} {
		b, faults := Make(c.source)
		if len(faults) != 1 || b != nil {
			t.Errorf("%s: %v", name, faults)
			continue
		}
		got := faults[0]
		if c.want.Hint == "" {
			got.Hint = ""
		}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if _, faults := Make(Source{Dir: dir, File: "up.mjs"}); len(faults) != 1 {
		t.Errorf("an import from outside: %v", faults)
	}
}

// The same files make the same bundle, wherever they are, and other ones another.
func TestName(t *testing.T) {
	files := map[string]string{"lib/x.ts": "export enum Color { Red }\n", "node_modules/p/index.js": "module.exports = () => 7\n", "node_modules/p/package.json": `{"name":"p"}`, "d.json": `{"a":1}`}
	code := "import { Color } from './lib/x'; import p from 'p'; import d from './d.json'; import { join } from 'path'\nexport default () => [Color.Red, p(), d.a, join]"
	name := func(files map[string]string, code string) string {
		b, faults := Make(text(folder(t, files), code))
		if b == nil {
			t.Fatal(faults)
		}
		name, data, err := b.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Decode(data); err != nil || string(again.Code) != string(b.Code) {
			t.Error(err)
		}
		return name
	}
	first := name(files, code)
	if first != name(files, code) {
		t.Error("the folder's place is in the bundle")
	}
	files["node_modules/p/index.js"] = "module.exports = () => 8\n"
	if first == name(files, code) {
		t.Error("a package has changed, and the bundle has not")
	}
}

// Places of the code lead to the lines that the user wrote.
func TestPositions(t *testing.T) {
	dir := folder(t, map[string]string{"lib/x.ts": "type T = string\n\nexport function f(a: T): T {\n  throw new Error(a)\n}\n"})
	b, faults := Make(text(dir, "import { f } from './lib/x'\nexport default async () => {\n  f('x')\n}"))
	if b == nil {
		t.Fatal(faults)
	}
	p, err := b.Positions()
	if err != nil {
		t.Fatal(err)
	}
	at := func(what string) string {
		for i, line := range strings.Split(string(b.Code), "\n") {
			if c := strings.Index(line, what); c >= 0 {
				place := p.Stack("    at f (zflow-code/0a:" + strconv.Itoa(i+1) + ":" + strconv.Itoa(c+1) + ")")
				return strings.Join(place, " ")
			}
		}
		return "not there"
	}
	if got := at("new Error"); got != "lib/x.ts:4:9" {
		t.Error(got)
	}
	if got := at(`f("x")`); got != "w.yaml:13:9" {
		t.Error(got)
	}
	for _, bad := range []string{"?", "gggggggggggggggggg"} {
		if _, err := decodeMappings(bad); err == nil {
			t.Errorf("%q is no source map", bad)
		}
	}
}
