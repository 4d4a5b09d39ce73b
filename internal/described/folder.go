package described

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"zflow/actions/http"
	"zflow/engine/definition/document"
	"zflow/engine/definition/form"
)

// Folder is where a folder of workflows keeps descriptions of its own actions, a file
// each, by its name.
const Folder = "actions"

//go:embed skeleton.yaml
var skeleton string

// Skeleton is a description to begin with.
func Skeleton(name string) (string, error) {
	if !validName.MatchString(name) {
		return "", fmt.Errorf("the name %q: write it as family.verb_noun, such as crm.add_contact", name)
	}
	family, _, _ := strings.Cut(name, ".")
	return strings.NewReplacer("NAME", name, "FAMILY", family).Replace(skeleton), nil
}

// Inline returns the text of a workflow with the descriptions that it uses, from the
// folder beside its file, in it: so they are part of its version. Where there are none
// the text comes back as it is. What is wrong with a description comes as problems.
func Inline(file string, src []byte, client *http.Client) ([]byte, document.Problems, error) {
	_, root := document.Read(file, src)
	if root == nil || root.Kind != document.Object {
		return src, nil, nil // what is wrong with it is told when it is read
	}
	own := root.Get("actions")
	var problems document.Problems
	var parts []string
	for _, name := range used(root) {
		if own != nil && own.Get(name) != nil {
			continue
		}
		text, path, err := find(filepath.Dir(file), name)
		if err != nil {
			return src, nil, err
		}
		if path == "" {
			continue
		}
		part, wrong := prepared(path, name, text, client)
		problems = append(problems, wrong...)
		parts = append(parts, part)
	}
	switch {
	case problems.Err() != nil || len(parts) == 0:
		return src, problems, nil
	case own != nil:
		return src, document.Problems{{File: file, Line: own.Line, Column: 1, Message: "the workflow has actions of its own and uses some of the folder " + Folder, Hint: "keep them all in one place"}}, nil
	}
	out := []byte(strings.TrimRight(string(src), "\n") + "\n\n# from the folder " + Folder + "\nactions:\n" + strings.Join(parts, ""))
	if !same(file, root, out, len(parts)) {
		return src, document.Problems{{File: file, Line: 1, Column: 1, Message: "the actions of the folder " + Folder + " cannot be put below this workflow", Hint: "write the workflow as lines of key: value, not as { … }"}}, nil
	}
	return out, nil, nil
}

// used returns the names of all actions that steps name.
func used(n *node) []string {
	var names []string
	for _, c := range n.Items {
		names = append(names, used(c)...)
	}
	for _, f := range n.Fields {
		if f.Key.Value == "uses" && validName.MatchString(f.Value.Value) {
			names = append(names, f.Value.Value)
		}
		names = append(names, used(f.Value)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// find reads the description of an action; no path: there is none.
func find(dir, name string) (text []byte, path string, err error) {
	for _, end := range []string{".yaml", ".yml"} {
		path := filepath.Join(dir, Folder, name+end)
		text, err := os.ReadFile(path)
		if err == nil {
			return text, path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, "", fmt.Errorf("reading an action: %w", err)
		}
	}
	return nil, "", nil
}

// prepared checks a description and returns it as a field of a workflow's actions.
func prepared(path, name string, text []byte, client *http.Client) (string, document.Problems) {
	a, problems := Read(path, text, client)
	if a == nil {
		return "", problems
	}
	if a.Spec.Name != name {
		return "", document.Problems{{File: path, Line: 1, Column: 1, Message: fmt.Sprintf("the file is named %s, the action %s", name, a.Spec.Name), Hint: "give both one name"}}
	}
	body := strings.TrimPrefix(strings.ReplaceAll(string(text), "\r\n", "\n"), "\xef\xbb\xbf")
	body = strings.TrimPrefix(body, "---\n")
	var b strings.Builder
	b.WriteString("  " + name + ":\n")
	for line := range strings.SplitSeq(strings.TrimRight(body, "\n"), "\n") {
		if line != "" {
			b.WriteString("    " + line)
		}
		b.WriteString("\n")
	}
	return b.String(), problems
}

// same tells whether a text means what it meant, and has so many actions beside.
func same(file string, was *node, out []byte, actions int) bool {
	f, is := document.Read(file, out)
	if is == nil || is.Kind != document.Object || is.Get("actions") == nil || len(is.Get("actions").Fields) != actions {
		return false
	}
	r := form.Reader{File: f}
	before, _ := r.JSON(was).(map[string]any)
	after, _ := r.JSON(is).(map[string]any)
	delete(after, "actions")
	return reflect.DeepEqual(before, after)
}
