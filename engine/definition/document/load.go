package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxFile bounds the size of a definition.
const maxFile = 1 << 20

// load returns the file's one document, or nil if it has none that can be read.
func (f *File) load(src []byte) *Node {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	if !f.readable(src) {
		return nil
	}
	f.lines = strings.Split(strings.ReplaceAll(string(src), "\r\n", "\n"), "\n")
	doc := f.document(src)
	if doc == nil {
		return nil
	}
	x := &expander{f: f, open: map[*yaml.Node]bool{}}
	root := x.node(doc, 0)
	if x.full {
		return nil
	}
	return root
}

func (f *File) readable(src []byte) bool {
	switch {
	case len(src) > maxFile:
		f.Report(1, 1, "", "the file is larger than %d bytes", maxFile)
	case bytes.HasPrefix(src, []byte{0xff, 0xfe}), bytes.HasPrefix(src, []byte{0xfe, 0xff}), bytes.HasPrefix(src, []byte{'n', 0}):
		f.Report(1, 1, "save it as UTF-8", "the file is UTF-16")
	case !utf8.Valid(src) || bytes.IndexByte(src, 0) >= 0:
		f.Report(1, 1, "a workflow is YAML in UTF-8", "the file is not text")
	case tooDeep(src):
		f.Report(1, 1, "", "the file nests too deep: more than %d levels", maxNesting)
	default:
		return true
	}
	return false
}

// tooDeep tells, before YAML takes its time to find out, whether brackets or
// dashes open far more levels than a workflow can have.
func tooDeep(src []byte) bool {
	const far = 20 * maxNesting
	open := 0
	for i, c := range src {
		switch c {
		case '[', '{':
			open++
		case ']', '}':
			open = max(open-1, 0)
		}
		if open > far || c == '-' && bytes.HasPrefix(src[i:], dashes) {
			return true
		}
	}
	return false
}

var dashes = bytes.Repeat([]byte("- "), 20*maxNesting)

// document reads the first document and refuses a second.
func (f *File) document(src []byte) (doc *yaml.Node) {
	defer func() {
		if r := recover(); r != nil { // the YAML library's own
			f.Report(1, 1, "", "the YAML cannot be read (%v)", r)
			doc = nil
		}
	}()
	loader, err := yaml.NewLoader(bytes.NewReader(src))
	if err != nil {
		f.syntax(err)
		return nil
	}
	var first, second yaml.Node
	err = loader.Load(&first)
	if errors.Is(err, io.EOF) || err == nil && len(first.Content) == 0 {
		f.Report(1, 1, "it begins with name:, on: and steps:", "the file is empty")
		return nil
	}
	if err != nil {
		f.syntax(err)
		return nil
	}
	err = loader.Load(&second)
	switch {
	case err == nil:
		f.Report(second.Line, second.Column, "one file holds one workflow: remove the ---", "a second document begins here")
	case !errors.Is(err, io.EOF):
		f.syntax(err)
	}
	return first.Content[0]
}

// syntax reports what the YAML library could not read.
func (f *File) syntax(err error) {
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		f.Report(1, 1, "", "the YAML cannot be read: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		return
	}
	line, column := le.Mark.Line, le.Mark.Column
	message := le.Message
	if le.ContextMsg != "" {
		message = fmt.Sprintf("%s, %s", le.ContextMsg, message)
	}
	hinted, hint := f.syntaxHint(line)
	if hint == "" && le.ContextMark.Line > 0 && le.ContextMark.Line != line {
		hinted, hint = f.syntaxHint(le.ContextMark.Line)
	}
	if hint != "" {
		line = hinted
	}
	f.Report(line, column, hint, "the YAML cannot be read: %s", message)
}

// syntaxTraps are lines that YAML reads otherwise than they were meant.
var syntaxTraps = []struct {
	line *regexp.Regexp
	hint string
}{
	{regexp.MustCompile(`[{[,]\s*([\w.-]+:\s+)?[^"'\s]*\$\{\{`), `inside { } and [ ] put quotes around "${{ … }}"`},
	{regexp.MustCompile(`:\s+[^"'|>].*\?.*:\s`), "put quotes around an expression with ? and :"},
	{regexp.MustCompile(`:\s+\{.*\}\s*[^\s,}\]]`), "put quotes around a text that begins with {"},
	{regexp.MustCompile(`:\s+\*`), "put quotes around a text that begins with *"},
	{regexp.MustCompile(`:\s+[@%` + "`" + `]`), "put quotes around a text that begins with @, % or `"},
	{regexp.MustCompile(`^\s*\t`), "indent with spaces, not with tabs"},
	{regexp.MustCompile(`:\s+"[^"]*\\[^"]*`), `inside double quotes a backslash is written \\; single quotes take it as it is`},
	{regexp.MustCompile(`:\s+[^"'|>\s].*:\s`), "put quotes around a text with a colon in it"},
}

func (f *File) syntaxHint(line int) (int, string) {
	for _, at := range []int{line, line - 1} {
		if at < 1 || at > len(f.lines) {
			continue
		}
		for _, t := range syntaxTraps {
			if t.line.MatchString(f.lines[at-1]) {
				return at, t.hint
			}
		}
	}
	return line, ""
}
