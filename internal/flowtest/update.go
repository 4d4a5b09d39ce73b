package flowtest

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"zflow/engine/definition/document"
	"zflow/internal/flowtest/testfile"
)

// edit replaces the text of a value in a file.
type edit struct {
	place *document.Node
	value any
}

// Update writes the expected outputs that are not as expected anew: of each what it
// named before. It returns the files that it changed.
func (r *Report) Update() (changed []string, err error) {
	edits := map[string][]edit{}
	for _, t := range r.Tests {
		if t.seen == nil {
			continue
		}
		all := edits[t.File]
		add := func(want *testfile.Value, got any) {
			if want != nil && !has(want.JSON, got) {
				all = append(all, edit{want.Place, narrowed(want.JSON, got)})
			}
		}
		add(t.expect.Output, t.seen.Output())
		for name, step := range t.expect.Steps {
			add(step.Output, t.seen.stepOutput(t.seen.find(name)))
		}
		edits[t.File] = all
	}
	for file, all := range edits {
		if len(all) == 0 {
			continue
		}
		if err := rewrite(file, all); err != nil {
			return changed, err
		}
		changed = append(changed, file)
	}
	slices.Sort(changed)
	return changed, nil
}

// narrowed is what there is of the fields that were expected.
func narrowed(want, got any) any {
	w, ok := want.(map[string]any)
	g, same := got.(map[string]any)
	if !ok || !same || len(w) == 0 {
		return got
	}
	out := map[string]any{}
	for name := range w {
		if v, there := g[name]; there {
			out[name] = narrowed(w[name], v)
		}
	}
	return out
}

func rewrite(file string, all []edit) error {
	src, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("updating tests: %w", err)
	}
	text := []rune(string(src))
	slices.SortFunc(all, func(a, b edit) int { // the last first, so that the places before it stay
		if a.place.Line != b.place.Line {
			return b.place.Line - a.place.Line
		}
		return b.place.Column - a.place.Column
	})
	for _, e := range all {
		begin := offset(text, e.place.Line, e.place.Column)
		end := begin + length(text[begin:], e.place)
		text = slices.Concat(text[:begin], []rune(string(encode(e.value))), text[end:])
	}
	info, err := os.Stat(file)
	if err == nil {
		err = os.WriteFile(file, []byte(string(text)), info.Mode().Perm())
	}
	if err != nil {
		return fmt.Errorf("updating tests: %w", err)
	}
	return nil
}

func offset(text []rune, line, column int) int {
	at := 0
	for line > 1 && at < len(text) {
		if text[at] == '\n' {
			line--
		}
		at++
	}
	return min(at+column-1, len(text))
}

// length is how long the text of a value is that begins here.
func length(text []rune, n *document.Node) int {
	switch {
	case len(text) == 0:
		return 0
	case text[0] == '{' || text[0] == '[':
		return bracketed(text)
	case n.Kind == document.Scalar && (text[0] == '"' || text[0] == '\''):
		return quotedLength(text)
	case n.Kind == document.Scalar && n.Plain():
		return min(len([]rune(n.Value)), len(text))
	}
	return block(text, n.Column-1)
}

// bracketed is the length up to the bracket that closes the first.
func bracketed(text []rune) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"', '\'':
			i += quotedLength(text[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

func quotedLength(text []rune) int {
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && text[0] == '"':
			i++
		case text[i] == text[0] && text[0] == '\'' && i+1 < len(text) && text[i+1] == '\'':
			i++
		case text[i] == text[0]:
			return i + 1
		}
	}
	return len(text)
}

// block is the length up to the line that is indented less.
func block(text []rune, indent int) int {
	lines := strings.SplitAfter(string(text), "\n")
	end := len([]rune(strings.TrimRight(lines[0], "\n")))
	read := len([]rune(lines[0]))
	for _, line := range lines[1:] {
		rest := strings.TrimLeft(line, " ")
		if rest == "\n" || rest == "" {
			read += len([]rune(line))
			continue
		}
		if len(line)-len(rest) < indent {
			break
		}
		end = read + len([]rune(strings.TrimRight(line, "\n")))
		read += len([]rune(line))
	}
	return end
}
