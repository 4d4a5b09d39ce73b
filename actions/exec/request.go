package exec

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"mime"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"zflow/actions"
	"zflow/engine/expr/moment"
)

// request is what a step wants.
type request struct {
	name    string
	program Program
	args    []string
	stdin   string
	codes   []int64
	timeout time.Duration
	files   map[string]any // to put into the folder: text, or a reference
	outputs []string       // to take from it
	secrets []string       // that it was given, opened
	dir     string
}

// marker is a sealed value in a text.
var marker = regexp.MustCompile(`~zf1\.[A-Za-z0-9_-]{8}\.[A-Za-z0-9_-]+~`)

func (r *runner) request(input map[string]any) (*request, error) {
	q := &request{codes: []int64{0}}
	q.name, _ = input["program"].(string)
	var known bool
	if q.program, known = r.Programs[q.name]; !known {
		return nil, actions.Final("the program %.100q is not allowed: %s", q.name, names(r.Programs)).With(0, "no_program")
	}
	for _, read := range []func(map[string]any, *request) error{r.readArgs, r.readStdin, readCodes, readTimeout, r.readFiles, readOutputs} {
		if err := read(input, q); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// open opens what is sealed in a text, and remembers it, to mask it later.
func (r *runner) open(q *request, text string) (string, error) {
	if r.Reveal == nil || !strings.Contains(text, "~zf1.") {
		return text, nil
	}
	for _, one := range marker.FindAllString(text, -1) {
		secret, err := r.Reveal(one)
		if err != nil {
			return "", actions.Final("%v", err)
		}
		if secret != "" {
			q.secrets = append(q.secrets, secret)
		}
	}
	return r.Reveal(text)
}

// maxArgs is how many arguments a step gives at most, and maxArg the bytes of one.
const maxArgs, maxArg = 1000, 128<<10 - 1

func (r *runner) readArgs(input map[string]any, q *request) error {
	list, ok := input["args"].([]any)
	if input["args"] != nil && !ok || len(list) > maxArgs {
		return actions.Final("args is a list of at most %d texts", maxArgs)
	}
	for i, v := range list {
		s, ok := v.(string)
		if n, whole := v.(int64); whole {
			s, ok = formatInt(n), true
		}
		s, err := r.open(q, s)
		if err != nil {
			return err
		}
		if !ok || strings.ContainsRune(s, 0) || len(s) > maxArg {
			return actions.Final("args[%d] is no text of at most %d bytes", i, maxArg)
		}
		q.args = append(q.args, s)
	}
	return nil
}

func (r *runner) readStdin(input map[string]any, q *request) (err error) {
	s, ok := input["stdin"].(string)
	if input["stdin"] != nil && !ok {
		return actions.Final("stdin is not text: toJSON() makes one of a value")
	}
	q.stdin, err = r.open(q, s)
	return err
}

func readCodes(input map[string]any, q *request) error {
	list, ok := input["ok_codes"].([]any)
	if input["ok_codes"] != nil && !ok {
		return actions.Final("ok_codes is a list of exit codes")
	}
	for _, v := range list {
		n, ok := v.(int64)
		if !ok || n < 0 || n > 255 {
			return actions.Final("ok_codes has %v, which is no exit code", v)
		}
		q.codes = append(q.codes, n)
	}
	return nil
}

func readTimeout(input map[string]any, q *request) error {
	most := cmp.Or(q.program.Timeout, DefaultTimeout)
	q.timeout = most
	if input["timeout"] == nil {
		return nil
	}
	s, _ := input["timeout"].(string)
	d, err := moment.Duration(s)
	if err != nil || d <= 0 {
		return actions.Final("timeout is a duration such as 30s")
	}
	if d > most {
		return actions.Final("timeout %s is longer than the %s that the configuration allows %s", s, most, q.name)
	}
	q.timeout = d
	return nil
}

// fileName is a name in the call's folder, without folders of its own.
func fileName(name string) bool {
	return name != "" && len(name) <= 200 && name == path.Base(name) && !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '\\' }) && name != "." && name != ".."
}

func (r *runner) readFiles(input map[string]any, q *request) error {
	files, ok := input["files"].(map[string]any)
	if input["files"] != nil && !ok || len(files) > maxFiles {
		return actions.Final("files is an object of at most %d files by name", maxFiles)
	}
	q.files = map[string]any{}
	for name, v := range files {
		if !fileName(name) {
			return actions.Final("files: %.100q is no name of a file without a folder", name)
		}
		s, isText := v.(string)
		_, isFile := actions.FileOf(v)
		switch {
		case isText:
			opened, err := r.open(q, s)
			if err != nil {
				return err
			}
			q.files[name] = opened
		case isFile:
			q.files[name] = v
		default:
			return actions.Final("files: %s is neither text nor a file", name)
		}
	}
	return nil
}

func readOutputs(input map[string]any, q *request) error {
	list, ok := input["outputs"].([]any)
	if input["outputs"] != nil && !ok {
		return actions.Final("outputs is a list of names of files")
	}
	for _, v := range list {
		name, _ := v.(string)
		if _, bad := path.Match(name, ""); !fileName(name) || bad != nil {
			return actions.Final("outputs has %.100v, which is no name of a file, nor a pattern such as *.pdf", v)
		}
		q.outputs = append(q.outputs, name)
	}
	return nil
}

// putFiles puts the step's files into the folder.
func (r *runner) putFiles(ctx context.Context, q *request) error {
	for name, v := range q.files {
		if err := r.putFile(ctx, filepath.Join(q.dir, name), v); err != nil {
			return actions.Retryable("putting %s into the folder: %v", name, err)
		}
	}
	return nil
}

func (r *runner) putFile(ctx context.Context, at string, v any) error {
	from := io.NopCloser(strings.NewReader(""))
	if s, ok := v.(string); ok {
		from = io.NopCloser(strings.NewReader(s))
	} else if ref, ok := actions.FileOf(v); ok {
		if r.Files.Open == nil {
			return errors.New("files cannot be read from here")
		}
		var err error
		if from, err = r.Files.Open(ctx, ref); err != nil {
			return err
		}
	}
	defer from.Close()
	f, err := os.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}

// takeFiles keeps what the program left under the names that the step wants.
func (r *runner) takeFiles(ctx context.Context, q *request) (map[string]any, error) {
	out := map[string]any{}
	if len(q.outputs) == 0 {
		return out, nil
	}
	if r.Files.Put == nil {
		return nil, actions.Final("files cannot be kept from here")
	}
	root, err := os.OpenRoot(q.dir)
	if err != nil {
		return nil, actions.Unknown("reading what %s left: %v", q.name, err)
	}
	defer root.Close()
	entries, _ := fs.ReadDir(root.FS(), ".")
	taken := map[string]bool{}
	for _, entry := range entries {
		wanted := slices.IndexFunc(q.outputs, func(p string) bool { ok, _ := path.Match(p, entry.Name()); return ok })
		if wanted < 0 || !entry.Type().IsRegular() {
			continue
		}
		if len(out) == maxFiles {
			return nil, actions.Final("%s left more than %d files", q.name, maxFiles)
		}
		ref, err := r.takeFile(ctx, root, entry.Name())
		if err != nil {
			return nil, q.killed("what it left could not be kept: " + err.Error())
		}
		out[entry.Name()], taken[q.outputs[wanted]] = ref, true
	}
	for _, name := range q.outputs {
		if !taken[name] && !strings.ContainsAny(name, "*?[") {
			return nil, actions.Final("%s left no file %s", q.name, name).With(0, "no_output")
		}
	}
	return out, nil
}

func (r *runner) takeFile(ctx context.Context, root *os.Root, name string) (any, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	kept, err := r.Files.Put(ctx, f, actions.File{Name: name, Type: mime.TypeByExtension(path.Ext(name))}, maxFile)
	return kept.Value(), err
}
