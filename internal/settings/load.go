package settings

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with a configuration.
type Fault struct {
	Where   string // file:line:column, or an environment variable
	Message string
}

// Faults are all that is wrong with a configuration.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.Where + ": " + one.Message
	}
	return strings.Join(lines, "\n")
}

// Setup says what Load reads.
type Setup struct {
	File    string   // empty: none, only defaults and environment
	Environ []string // NAME=value; names that begin with ZFLOW_ count
	Others  []string // names in Environ that are not the configuration's but a flag's
	For     Process  // who loads it; "": whoever may know all
}

// Process is who loads a configuration. The file is the same for all, but what a
// process has no business knowing is neither read from its files nor kept, so
// that those need not be where it runs.
type Process string

// Processes that know a part only.
const (
	ForIngest  Process = "ingest"  // no connections, no secrets of workflows, no tokens of the API
	ForWorker  Process = "worker"  // no secrets of the apps that send events, no tokens of the API
	ForConsole Process = "console" // no secrets but the tokens of the API
)

// withhold takes away what a process has no business knowing.
func (l *loading) withhold(p Process) {
	switch p {
	case ForIngest:
		l.config.Connections, l.config.Secrets = nil, nil
		l.config.Worker, l.config.Console, l.config.Zoom = Default().Worker, Default().Console, Default().Zoom
	case ForWorker:
		l.config.Ingest, l.config.Console = Default().Ingest, Default().Console
	case ForConsole:
		l.config.Connections, l.config.Secrets = nil, nil
		l.config.Ingest, l.config.Worker, l.config.Zoom = Default().Ingest, Default().Worker, Default().Zoom
	}
}

// Load reads the configuration file, lays the environment over it, reads
// the files that hold secrets, and checks the whole. What is wrong is returned
// as Faults, all at once.
func Load(s Setup) (*Config, error) {
	l := &loading{config: Default(), where: map[string]string{}}
	if s.File != "" {
		src, err := os.ReadFile(s.File)
		if err != nil {
			return nil, fmt.Errorf("reading the configuration: %w", err)
		}
		l.yaml(s.File, src)
	}
	l.environ(s.Environ, s.Others)
	l.withhold(s.For)
	l.files(reflect.ValueOf(l.config).Elem())
	if len(l.faults) == 0 {
		l.check()
	}
	if len(l.faults) > 0 {
		return nil, fmt.Errorf("reading the configuration: %w", l.faults)
	}
	return l.config, nil
}

// loading is a configuration on its way.
type loading struct {
	config *Config
	where  map[string]string // by path, such as streams.runs_age
	faults Faults
}

func (l *loading) fault(where, format string, args ...any) {
	l.faults = append(l.faults, Fault{where, fmt.Sprintf(format, args...)})
}

// at returns where a path was set, or the path itself for a default.
func (l *loading) at(path string) string { return cmp.Or(l.where[path], path) }

// settable is a value that is written as one text.
type settable interface{ set(text string) error }

// fromFile is a settable value that a file may hold.
type fromFile interface {
	settable
	setFile(path, from string)
}

// files reads what files hold, wherever one is named.
func (l *loading) files(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Addr().CanInterface() && l.file(v.Addr().Interface()) {
			return
		}
		for i := range v.NumField() {
			l.files(v.Field(i))
		}
	case reflect.Slice:
		l.elements(v)
	case reflect.Map:
		l.entries(v)
	}
}

func (l *loading) entries(v reflect.Value) {
	for _, key := range sortedKeys(v) {
		entry := reflect.New(v.Type().Elem()).Elem()
		entry.Set(v.MapIndex(key))
		l.files(entry)
		v.SetMapIndex(key, entry)
	}
}

// elements reads the files of a list; one that holds several secrets, a line
// each, stands for all of them.
func (l *loading) elements(v reflect.Value) {
	list, ok := v.Addr().Interface().(*[]Secret)
	if !ok {
		return
	}
	var all []Secret
	for _, s := range *list {
		if s.file == "" {
			all = append(all, s)
			continue
		}
		l.file(&s)
		for line := range strings.FieldsSeq(s.text) {
			all = append(all, Secret{text: line})
		}
	}
	*list = all
}

// file fills a value from the file that it names, and tells whether v is of a
// kind that could.
func (l *loading) file(v any) bool {
	switch v := v.(type) {
	case *Secret:
		if v.file != "" {
			v.text = l.read(v.file, v.from, true)
		}
	case *Text:
		if v.file != "" {
			v.text = l.read(v.file, v.from, false)
		}
	default:
		return false
	}
	return true
}

func (l *loading) read(path, from string, secret bool) string {
	if secret && !l.private(path, from) {
		return ""
	}
	text, err := os.ReadFile(path)
	if err != nil {
		l.fault(from, "%s", reasonOf(err))
		return ""
	}
	value := strings.TrimRight(string(text), "\r\n")
	if value == "" {
		l.fault(from, "the file %s is empty", path)
	}
	return value
}

// othersRead are the mode's bits that let everybody read a file.
const othersRead fs.FileMode = 0o004

// private tells whether a file is there and not for everybody to read.
func (l *loading) private(path, from string) bool {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		l.fault(from, "%s", reasonOf(err))
	case info.IsDir():
		l.fault(from, "%s is a folder", path)
	case info.Mode()&othersRead != 0:
		l.fault(from, "the secret in %s can be read by everybody (mode %04o): chmod o-r it", path, info.Mode().Perm())
	default:
		return true
	}
	return false
}

func reasonOf(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Sprintf("the file %s: %v", p.Path, p.Err)
	}
	return err.Error()
}

// besides returns a path beside the configuration file.
func besides(config, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(config), path)
}

func sortedKeys(m reflect.Value) []reflect.Value {
	return slices.SortedFunc(slices.Values(m.MapKeys()), func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
}
