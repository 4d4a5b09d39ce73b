package pipedream

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"zflow/engine/definition"
	"zflow/internal/app"
	"zflow/internal/pipedream"
	"zflow/internal/zoomcatalog"
)

// translated is a workflow with where it came from and where it stands.
type translated struct {
	*pipedream.Workflow
	source string
	file   string
}

// deepest is how far below a folder workflows are looked for.
const deepest = 6

// find returns the workflows of a path: the file, or those below the folder.
func find(name string) ([]string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("reading workflows: %w", err)
	}
	if !info.IsDir() {
		return []string{name}, nil
	}
	var files []string
	err = filepath.WalkDir(name, func(at string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || at != name && strings.HasPrefix(d.Name(), ".") || strings.Count(at, string(filepath.Separator))-strings.Count(name, string(filepath.Separator)) > deepest):
			return filepath.SkipDir
		case d.Type().IsRegular() && (d.Name() == "workflow.yaml" || d.Name() == "workflow.yml"):
			files = append(files, at)
		}
		return nil
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("the folder %s holds no workflow.yaml", name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading workflows: %w", err)
	}
	return files, nil
}

func translateAll(files []string, a asked) ([]*translated, error) {
	registry, err := app.Actions(app.ActionsConfig{})
	if err != nil {
		return nil, err
	}
	known := app.Known(registry, nil)
	known.Bundle = nil // the code is not at its place yet
	o := pipedream.Options{
		Actions: registry, Triggers: a.triggers, Likely: likely,
		Check: func(name string, src []byte) definition.Problems {
			_, problems := definition.Parse(name, src, known)
			return problems
		},
	}
	var all []*translated
	var faults error
	for _, file := range files {
		w, err := translate(file, o, a.out != "")
		if err != nil {
			faults = errors.Join(faults, err)
			continue
		}
		all = append(all, w)
	}
	return all, errors.Join(faults, sameNames(all))
}

// translate translates a file. Where it is written, the code of its steps goes to a
// folder of its name.
func translate(file string, o pipedream.Options, written bool) (*translated, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading workflows: %w", err)
	}
	o.Read = func(name string) ([]byte, error) { return readInside(filepath.Dir(file), name) }
	if written {
		if o.Folder, err = pipedream.Name(file, src); err != nil {
			return nil, err
		}
	}
	w, err := pipedream.Translate(file, src, o)
	return &translated{Workflow: w, source: file}, err
}

// readInside reads a file of a folder, wherever links in it lead.
func readInside(folder, name string) ([]byte, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.ReadFile(filepath.FromSlash(name))
}

func sameNames(all []*translated) error {
	first := map[string]*translated{}
	for _, w := range all {
		if other := first[w.Name]; other != nil {
			return fmt.Errorf("%s and %s are both called %s: change the name of one", other.source, w.source, w.Name)
		}
		first[w.Name] = w
	}
	return nil
}

// most is how many event types are offered.
const most = 5

// common are the event types that most workflows begin with.
var common = []string{"meeting.ended", "meeting.started", "recording.completed", "meeting.participant_joined", "meeting.registration_created", "recording.transcript_completed", "webinar.ended", "meeting.created", "user.created"}

// likely returns the types of Zoom's events that have all these fields.
func likely(fields []string) []string {
	var all []string
	try := func(name string) {
		body, ok := zoomcatalog.EventFields(name)
		if !ok || len(all) == most || slices.Contains(all, name) {
			return
		}
		for _, path := range fields {
			if _, ok := body.Find(path); !ok {
				return
			}
		}
		all = append(all, name)
	}
	for _, name := range common {
		try(name)
	}
	if len(all) > 0 || len(fields) == 0 {
		return all
	}
	for _, e := range zoomcatalog.Events() {
		try(e.Name)
	}
	return all
}

// output is a file that is to be written.
type output struct {
	name string
	data []byte
}

// writeAll writes all workflows with the code of their steps, or nothing: where a file
// is there already, none is touched.
func writeAll(all []*translated, a asked) error {
	var files []output
	for _, w := range all {
		w.file = filepath.Join(a.out, w.Name+".yaml")
		files = append(files, output{w.file, w.YAML})
		for _, part := range w.Copy {
			more, err := copies(filepath.Dir(w.source), part, filepath.Join(a.out, w.Name))
			if err != nil {
				return fmt.Errorf("copying the code of %s: %w", w.Name, err)
			}
			files = append(files, more...)
		}
	}
	if err := mayWrite(files, a.force); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.MkdirAll(filepath.Dir(f.name), 0o755); err != nil {
			return fmt.Errorf("writing workflows: %w", err)
		}
		if err := os.WriteFile(f.name, f.data, 0o644); err != nil {
			return fmt.Errorf("writing workflows: %w", err)
		}
	}
	return nil
}

func mayWrite(files []output, force bool) error {
	for _, f := range files {
		info, err := os.Lstat(f.name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return fmt.Errorf("writing workflows: %w", err)
		case !info.Mode().IsRegular():
			return fmt.Errorf("writing workflows: %s is no file", f.name)
		case !force:
			return fmt.Errorf("writing workflows: %s is there already (--force overwrites it); nothing was written", f.name)
		}
	}
	return nil
}

// maxCopied and largest bound what is copied for one step.
const (
	maxCopied = 200
	largest   = 1 << 20
)

// copies are the files of a step's folder, or the one file that it is.
func copies(folder, part, to string) ([]output, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var files []output
	err = fs.WalkDir(root.FS(), path.Clean(part), func(at string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // a note says so
			return nil
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "node_modules":
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		data, err := root.ReadFile(filepath.FromSlash(at))
		if err == nil && (len(data) > largest || len(files) == maxCopied) {
			err = fmt.Errorf("%s holds more than the code of a step", part)
		}
		files = append(files, output{filepath.Join(to, filepath.FromSlash(at)), data})
		return err
	})
	return files, err
}
