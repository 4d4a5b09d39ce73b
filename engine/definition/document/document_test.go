package document

import (
	"strings"
	"testing"
)

// A place in a text is found in the file again, however YAML writes the text: the
// text x is always where the mark § stands in it.
func TestPlaces(t *testing.T) {
	for name, src := range map[string]string{
		"plain":         "a: one two §three\n",
		"plain, folded": "a: one\n  two §three\n",
		"single quotes": "a: 'it''s §three'\n",
		"double quotes": "a: \"tab\\t \\u00fc \\x41 \\U0001F600 §three\"\n",
		"folded":        "a: >-\n  one\n  two §three\n",
		"literal":       "a: |\n  one\n    two §three\n",
		"wide runes":    "a: übergrößen §three\n",
		"a second line": "b: 1\na: \"one\n  two §three\"\n",
		"in a flow":     "a: { b: [1, \"x §three\"] }\n",
		"line ends":     "b: 1\r\na: one §three\r\n",
	} {
		f, root := Read("f", []byte(strings.Replace(src, "§", "", 1)))
		if root == nil {
			t.Fatalf("%s: %v", name, f.Problems())
		}
		n := root.Get("a").Find([]string{"b", "1"})
		line, column := placeOf(n.Value, "three")
		f.FailInText(n, Problem{Line: line, Column: column, Message: "here"}, false)
		wantLine, wantColumn := placeOf(strings.ReplaceAll(src, "\r", ""), "§")
		if p := f.Problems(); len(p) != 1 || p[0].Line != wantLine || p[0].Column != wantColumn {
			t.Errorf("%s: %v, want %d:%d", name, p, wantLine, wantColumn)
		}
	}
}

// placeOf returns line and column, in runes, of a part of a text.
func placeOf(text, part string) (line, column int) {
	before, _, _ := strings.Cut(text, part)
	last := before[strings.LastIndexByte(before, '\n')+1:]
	return strings.Count(before, "\n") + 1, len([]rune(last)) + 1
}

func TestFind(t *testing.T) {
	_, root := Read("f", []byte("a: { b: [x, { c: y }], 0: z }\n"))
	for path, want := range map[string]string{"a b 0": "x", "a b 1 c": "y", "a 0": "z"} {
		if n := root.Find(strings.Fields(path)); n.Value != want {
			t.Errorf("%s: %q", path, n.Value)
		}
	}
	for _, path := range []string{"a b 7 c", "a b x", "a b 99999999999999999999", "a nothing", "a b 0 more"} {
		if n := root.Find(strings.Fields(path)); n == nil {
			t.Errorf("%s leads to nothing", path)
		}
	}
	if root.KeyOf("a").Value != "a" || root.KeyOf("b") != root || root.Get("b") != nil {
		t.Error("keys are found where they are not")
	}
}

func TestAliases(t *testing.T) {
	f, root := Read("f", []byte("x: &x { a: 1, b: 2 }\ny: &y { c: 3 }\nz: { <<: [*x, *y], a: 9 }\nw: *x\n"))
	if len(f.Problems()) > 0 {
		t.Fatal(f.Problems())
	}
	z := root.Get("z")
	if z.Get("a").Value != "9" || z.Get("b").Value != "2" || z.Get("c").Value != "3" || root.Get("w").Get("a").Value != "1" {
		t.Errorf("%+v", z)
	}
	if root.Get("w") == root.Get("x") {
		t.Error("an alias is the same node as what it stands for")
	}
}

// What is wrong comes in the file's order, each once; warnings are no error.
func TestProblems(t *testing.T) {
	f, root := Read("f", []byte("a: 1\nb: 2\n"))
	f.Fail(root.Get("b"), "mend it", "second")
	f.Warn(root.Get("a"), "", "first")
	f.Fail(root.Get("b"), "mend it", "second")
	got := f.Problems()
	if len(got) != 2 || got[0].String() != "f:1:4: warning: first" || got[1].String() != "f:2:4: second (mend it)" {
		t.Errorf("%v", got)
	}
	if got.Err() == nil || got[:1].Err() != nil || got.Err().Error() != "f:2:4: second (mend it)" {
		t.Errorf("%v", got.Err())
	}
}

func TestWhat(t *testing.T) {
	_, root := Read("f", []byte("a: [1, 2.5, true, null, text, [x], { y: 1 }, 2026-03-02]\n"))
	var got []string
	for _, n := range root.Get("a").Items {
		got = append(got, n.What())
	}
	if want := "a number|a number with a fraction|true or false|empty|text|a list|an object|text"; strings.Join(got, "|") != want {
		t.Errorf("%s, want %s", strings.Join(got, "|"), want)
	}
}

func TestLimits(t *testing.T) {
	for name, src := range map[string]string{
		"the file is larger than":      "a: " + strings.Repeat("x", maxFile),
		"more than 50000 values":       "a: [" + strings.Repeat("1,", maxNodes) + "1]",
		"or 120 levels":                strings.Repeat("[", maxNesting+2) + strings.Repeat("]", maxNesting+2),
		"nests too deep":               strings.Repeat("[", 20*maxNesting+1),
		"the file is not text":         "a: \xff",
		"the file is UTF-16":           "n\x00a\x00",
		"the file is empty":            "# nothing\n",
		"a second document begins":     "a: 1\n---\nb: 2\n",
		"the alias *a contains itself": "a: &a [*a]\n",
	} {
		f, _ := Read("f", []byte(src))
		if p := f.Problems(); len(p) != 1 || !strings.Contains(p[0].Message, name) {
			t.Errorf("%s: %v", name, p)
		}
	}
	if _, root := Read("f", []byte("a: ["+strings.Repeat("1,", maxNodes-10)+"1]")); root == nil {
		t.Error("as many values as there may be are too many")
	}
}
