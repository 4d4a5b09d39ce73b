package app

import (
	"context"
	"path/filepath"

	"zflow/engine/definition"
)

// refuseContested leaves requests that two workflows want to the one that is deployed
// as its file says, else to the first.
func (f *folder) refuseContested(files []string) {
	var requests definition.Requests
	for _, deployed := range []bool{true, false} {
		for _, file := range files {
			h := f.files[file]
			if h.next == nil || deployed != (h.next.Name == h.name && h.next.Version == h.version) {
				continue
			}
			if problems := requests.Take(file, h.next); len(problems) > 0 {
				h.problems += lines(problems)
				h.next = nil
			}
		}
	}
}

// leaving are the workflows whose requests others may have now: those that are about
// to be deployed, and those that no file has any more.
func (f *folder) leaving(ctx context.Context) (names []string, err error) {
	stay := map[string]bool{}
	for _, h := range f.files {
		if h.next != nil {
			names = append(names, h.next.Name)
		} else if h.name != "" {
			stay[h.name] = true // the last good version of what has errors
		}
	}
	entries, err := f.catalog.List(ctx)
	for _, e := range entries {
		if h := f.files[e.File]; filepath.Dir(e.File) == filepath.Clean(f.dir) && !stay[e.Name] && (h == nil || h.next != nil) {
			names = append(names, e.Name)
		}
	}
	return names, err
}

func lines(problems definition.Problems) (text string) {
	for _, p := range problems {
		text += p.String() + "\n"
	}
	return text
}
