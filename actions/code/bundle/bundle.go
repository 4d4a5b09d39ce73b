// Package bundle makes of a step's code, and of all that it imports, one text that
// Node.js runs: the same bytes wherever and whenever the same files are bundled.
//
// Nothing from outside of the workflow's folder gets in, and nothing is run.
package bundle

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/evanw/esbuild/pkg/api"

	"zflow/actions/code/pipedream"
)

// MaxSize bounds a bundle, its source map included.
const MaxSize = 8 << 20

// Source is the code of a step.
type Source struct {
	Dir  string // of the workflow's file
	Name string // of the workflow's file, for messages
	Text string // the code; or
	File string // where it stands, relative to Dir

	// Place returns where in the workflow's file a line of Text begins: its line, and
	// how many columns come before.
	Place func(line int) (inFile, shift int)

	// Looked is called with each path whose change may change the bundle, those too
	// where nothing is; from several goroutines. Nil: nobody wants to know.
	Looked func(path string)
}

// Fault is something wrong with code.
type Fault struct {
	File         string // empty: the text itself
	Line, Column int    // from 1, in runes
	Message      string
	Hint         string
	Warning      bool
}

// Bundle is code that is ready to run.
type Bundle struct {
	Code []byte `json:"code"`
	Map  []byte `json:"map"`  // of Code to the files it was made of
	Name string `json:"name"` // what the text's own lines are called
	// Lines says where each line of the text stands in the file Name, and how many
	// columns come before; empty where the code has a file of its own.
	Lines [][2]int `json:"lines,omitempty"`
}

// Encode returns a bundle as it is stored, and its name: the hash of that.
func (b *Bundle) Encode() (name string, data []byte, err error) {
	if data, err = json.Marshal(b); err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), data, nil
}

// Decode reads what Encode wrote.
func Decode(data []byte) (*Bundle, error) {
	b := &Bundle{}
	if err := json.Unmarshal(data, b); err != nil {
		return nil, fmt.Errorf("reading a bundle: %w", err)
	}
	return b, nil
}

// What the text, and the module around the code, are called while they are bundled.
const (
	inline = "text:code"
	outer  = "<step>"
)

// Make bundles code. The bundle is nil where a fault is an error.
func Make(s Source) (*Bundle, []Fault) {
	dir, err := realDir(s.Dir)
	if err != nil {
		return nil, []Fault{{Message: "reading the folder of the workflow: " + err.Error()}}
	}
	options := api.BuildOptions{
		Bundle: true, Platform: api.PlatformNode, Target: api.ES2023, Format: api.FormatCommonJS, Engines: []api.Engine{{Name: api.EngineNode, Version: "20"}},
		Sourcemap: api.SourceMapExternal, SourcesContent: api.SourcesContentExclude, LegalComments: api.LegalCommentsNone,
		AbsWorkingDir: dir, Outdir: dir, EntryNames: "step", LogLevel: api.LogLevelSilent,
		Supported: map[string]bool{"dynamic-import": false},
	}
	code, fault := s.code(dir)
	if fault != nil {
		return nil, []Fault{*fault}
	}
	options.Stdin = &api.StdinOptions{Contents: s.entry(code), Sourcefile: outer}
	options.Plugins = []api.Plugin{
		{Name: "zflow", Setup: func(b api.PluginBuild) { s.load(b, dir, code) }},
		{Name: "looked", Setup: func(b api.PluginBuild) { s.look(b, dir) }},
		{Name: "pipedream", Setup: pipedream.Setup},
	}
	return s.finish(api.Build(options))
}

func (s Source) code(dir string) (api.OnResolveResult, *Fault) {
	if s.File == "" {
		return api.OnResolveResult{Path: "code", Namespace: "text"}, nil
	}
	for path := filepath.Join(dir, s.File); below(dir, path); path = filepath.Dir(path) { // it, or its folder, may come yet
		s.looked(path)
	}
	path, fault := within(dir, s.File)
	return api.OnResolveResult{Path: path}, fault
}

// entry is the module around the code. What imports the default export finds out
// whether there is one.
func (s Source) entry(code api.OnResolveResult) string {
	src := s.Text
	if s.File != "" {
		raw, err := os.ReadFile(code.Path)
		if err != nil {
			return `export { default } from "` + outer + `"` // which says why it cannot be read
		}
		src = string(raw)
	}
	if pipedream.Shaped(src) {
		return pipedream.Entry(outer)
	}
	return `export { default } from "` + outer + `"`
}

func realDir(dir string) (string, error) {
	abs, err := filepath.Abs(cmp.Or(dir, "."))
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// Extensions are those of files of code.
var Extensions = []string{".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"}

// within returns the path of the step's own file.
func within(dir, file string) (string, *Fault) {
	switch {
	case !slices.Contains(Extensions, filepath.Ext(file)):
		return "", &Fault{Message: fmt.Sprintf("%s is no file of code", file), Hint: "its name ends in one of " + strings.Join(Extensions, ", ")}
	case filepath.IsAbs(file):
		return "", &Fault{Message: fmt.Sprintf("%s is not in the workflow's folder", file), Hint: "write ./steps/" + filepath.Base(file)}
	}
	path, err := filepath.EvalSymlinks(filepath.Join(dir, file))
	if os.IsNotExist(err) {
		return "", &Fault{Message: fmt.Sprintf("there is no file %s beside the workflow", file)}
	}
	if err != nil {
		return "", &Fault{Message: err.Error()}
	}
	if !below(dir, path) {
		return "", &Fault{Message: fmt.Sprintf("%s is not in the workflow's folder", file), Hint: "code and all that it imports stand in it"}
	}
	return path, nil
}

func below(dir, path string) bool {
	return strings.HasPrefix(path, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}

// load finds the code, and refuses files from outside of the folder.
func (s Source) load(b api.PluginBuild, dir string, code api.OnResolveResult) {
	b.OnResolve(api.OnResolveOptions{Filter: "^" + outer + "$"}, func(api.OnResolveArgs) (api.OnResolveResult, error) { return code, nil })
	b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: "text"}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
		return api.OnLoadResult{Contents: &s.Text, ResolveDir: dir, Loader: api.LoaderTS}, nil
	})
	b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: "file"}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
		s.looked(installed(a.Path))
		if !below(dir, a.Path) {
			return api.OnLoadResult{}, fmt.Errorf("%s is not in the workflow's folder: code and all that it imports stand in it", a.Path)
		}
		return api.OnLoadResult{}, nil
	})
}

func (s Source) looked(path string) {
	if s.Looked != nil {
		s.Looked(path)
	}
}

// look tells where imports are looked for. What is installed changes in node_modules
// itself, whose own time says so.
func (s Source) look(b api.PluginBuild, dir string) {
	for _, name := range []string{"package.json", "tsconfig.json"} {
		s.looked(filepath.Join(dir, name))
	}
	b.OnResolve(api.OnResolveOptions{Filter: `.`, Namespace: ""}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
		switch {
		case a.Kind == api.ResolveEntryPoint || a.ResolveDir == "":
		case strings.HasPrefix(a.Path, "."):
			path := filepath.Join(a.ResolveDir, a.Path) // with or without its ending
			s.looked(installed(path))
			s.looked(installed(filepath.Dir(path)))
		case !strings.HasPrefix(a.Path, "node:"):
			s.looked(filepath.Join(dir, "node_modules", ".package-lock.json"))
			s.looked(filepath.Join(dir, "node_modules"))
		}
		return api.OnResolveResult{}, nil // esbuild finds it
	})
}

// installed is what stands for a file: of an installed package, what npm writes last.
func installed(path string) string {
	if before, _, ok := strings.Cut(path, string(filepath.Separator)+"node_modules"+string(filepath.Separator)); ok {
		return filepath.Join(before, "node_modules", ".package-lock.json")
	}
	return path
}

func (s Source) finish(r api.BuildResult) (*Bundle, []Fault) {
	faults := s.faults(r.Errors, false)
	if len(faults) > 0 {
		return nil, faults
	}
	faults = s.faults(r.Warnings, true)
	b := &Bundle{Name: s.Name}
	for _, f := range r.OutputFiles {
		if filepath.Ext(f.Path) == ".map" {
			b.Map = f.Contents
		} else {
			b.Code = f.Contents
		}
	}
	if size := len(b.Code) + len(b.Map); size > MaxSize {
		return nil, append(faults, Fault{Message: fmt.Sprintf("the code and what it imports have %d KiB: at most %d KiB", size>>10, MaxSize>>10), Hint: "import less, or parts of packages only"})
	}
	if s.File == "" {
		for line := range strings.Count(s.Text, "\n") + 1 {
			at, shift := s.Place(line + 1)
			b.Lines = append(b.Lines, [2]int{at, shift})
		}
	}
	return b, faults
}

func (s Source) faults(messages []api.Message, warning bool) []Fault {
	var all []Fault
	for _, m := range messages {
		f := s.located(m)
		f.Warning = warning
		if name, ok := missing(m.Text); ok {
			f.Message, f.Hint = missingText(s, name)
		}
		if warning && strings.Contains(f.File, "node_modules") {
			continue // nobody here can mend it
		}
		all = append(all, f)
	}
	return all
}

// located is a message with its place as the user knows it.
func (s Source) located(m api.Message) Fault {
	f, l := Fault{Message: m.Text}, m.Location
	switch {
	case l == nil:
		return f
	case l.File == outer: // it imports what is not there
		f = Fault{Message: "the code has no default export", Hint: "write export default async ({ event, steps }) => { … }"}
		if s.File != "" {
			f.File, f.Line, f.Column = filepath.Join(s.Dir, s.File), 1, 1
		}
		return f
	case l.File != inline:
		f.File = filepath.Join(s.Dir, l.File)
	}
	f.Line, f.Column = l.Line, 1+utf8.RuneCountInString(l.LineText[:min(l.Column, len(l.LineText))])
	return f
}

// missing finds which module it is that is not there.
func missing(text string) (string, bool) {
	rest, ok := strings.CutPrefix(text, `Could not resolve "`)
	name, _, _ := strings.Cut(rest, `"`)
	return name, ok
}

func missingText(s Source, name string) (message, hint string) {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "/") {
		return "there is no file " + name, ""
	}
	parts := strings.SplitN(name, "/", 3)
	pkg := parts[0]
	if strings.HasPrefix(name, "@") && len(parts) > 1 {
		pkg += "/" + parts[1]
	}
	folder := cmp.Or(s.Dir, ".")
	if _, err := os.Stat(filepath.Join(folder, "package.json")); err == nil {
		if _, err := os.Stat(filepath.Join(folder, "node_modules")); err != nil {
			return "the package " + pkg + " is not installed", "run npm ci in " + folder
		}
	}
	return "there is no package " + pkg + " in " + folder, "run npm install " + pkg + " there"
}
