package settings

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// checkLocal looks at what actions may use of the worker's machine.
func (l *loading) checkLocal() {
	w := &l.config.Worker
	for _, name := range slices.Sorted(maps.Keys(w.Folders)) {
		at := "worker.folders." + name
		switch dir := w.Folders[name]; {
		case !plainName.MatchString(name):
			l.fault(l.at(at), "%s: a folder's name has a-z, 0-9, - and _", at)
		case !filepath.IsAbs(dir) || filepath.Clean(dir) == "/":
			l.fault(l.at(at), "%s must be an absolute path, and not /", at)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.Exec)) {
		l.checkProgram(name, w.Exec[name])
	}
}

func (l *loading) checkProgram(name string, p Program) {
	at := "worker.exec." + name
	effects := []string{"", "read", "idempotent", "write"}
	switch {
	case !plainName.MatchString(name):
		l.fault(l.at(at), "%s: a program's name has a-z, 0-9, - and _", at)
	case p.Path == "":
		l.fault(l.at(at), "%s needs path, such as /usr/bin/python3", at)
	case p.Timeout < 0 || p.Memory < 0 || p.Processes < 0:
		l.fault(l.at(at), "%s has a limit below 0", at)
	case p.Memory > 0 && p.Memory < mib:
		l.fault(l.at(at+".memory"), "%s.memory is less than 1MiB: no program starts with that", at)
	case !slices.Contains(effects, p.Effect):
		l.fault(l.at(at+".effect"), "%s.effect is %q, not one of %s", at, p.Effect, strings.Join(effects[1:], ", "))
	}
}
