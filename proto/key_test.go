package proto

import (
	"regexp"
	"strings"
	"testing"
)

// odd are texts that a workflow's author, or an event, may bring.
var odd = []string{"", "_", "a", "A", "a.b", "a b", "ab", "a*", "a>", "ünï", "日本", "\x00", "\n", "u/1==", "=H", strings.Repeat("x", 128),
	strings.Repeat("x", 129), strings.Repeat("é", 5000), strings.Repeat("é", 5001), "holders", "17"}

// validKey is what nats.go takes as a key, with no empty token.
var validKey = regexp.MustCompile(`^[-/_=a-zA-Z0-9]+(\.[-/_=a-zA-Z0-9]+)*$`)

// Every text makes a key that is valid, short enough, and its own.
func TestKeysOfAnyText(t *testing.T) {
	seen := map[string]string{}
	for _, text := range odd {
		for what, key := range map[string]string{
			"gate": Gate(text, "", "k"), "gate of a key": Gate("w", "", text), "shared gate": Gate("w", text, "k"), "once": OnceKey(text, "0", "k"),
			"once of a trigger": OnceKey("w", text, "k"), "once of a key": OnceKey("w", "0", text), "paths": PathsKey("s", text),
			"patterns": PatternsKey(text), "wait": WaitKey("s", text, nil, nil), "wait of a value": WaitKey("s", "t", []string{"p"}, []string{text}),
			"wait of a path": WaitKey("s", "t", []string{text}, []string{"v"}), "short": Short(text),
		} {
			if what == "shared gate" && text == "" {
				continue // is the workflow's own
			}
			if !validKey.MatchString(key) || len(key) > 400 {
				t.Errorf("%s of %.20q is %q", what, text, key)
			}
			if before, there := seen[key]; there && before != what+text {
				t.Errorf("%q is that of %.20q and of %s %.20q", key, before, what, text)
			}
			seen[key] = what + text
		}
	}
}

// Lists are told apart, not only the texts in them.
func TestHashOfLists(t *testing.T) {
	seen := map[string][]string{}
	for _, l := range [][]string{nil, {""}, {"", ""}, {"a", "b"}, {"ab"}, {"a", "b", ""}, {"", "ab"}, {"1:a"}, {"a:b"}, {":a"}, {"1:a1:b"}, {"a1:b"}, {"b", "a"}} {
		h := Hash(l...)
		if before, there := seen[h]; there {
			t.Errorf("%q and %q have the same hash", before, l)
		}
		seen[h] = l
	}
}

// Gates of one name are a workflow's own, or shared, never both.
func TestGates(t *testing.T) {
	if Gate("a", "", "k") == Gate("b", "", "k") || Gate("a", "", "k") == Gate("b", "a", "k") || Gate("a", "", "k") == Gate("a", "", "l") {
		t.Error("two queues are one")
	}
	if Gate("a", "zoom", "k") != Gate("b", "zoom", "k") {
		t.Error("a shared gate is two")
	}
	if g := Gate("a", "", "k"); HoldersKey(g) != g+".holders" || PlaceKey(g, 18446744073709551615) != g+".18446744073709551615" {
		t.Error("its keys are not below it")
	}
}

func TestMatchesType(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"a.b", "a.b", true}, {"a.b", "a", false}, {"a", "a.b", false}, {"*", "a", true}, {"*", "a.b", true}, {"a.*", "a", false},
		{"a.*", "a.b.c", true}, {"*.b", "a.b", true}, {"*.b", "a.c", false}, {"*.b", "a.b.c", false}, {"a.*.c", "a.b.c", true}, {"a.*", "a.", false},
	} {
		if got := MatchesType(c.pattern, c.text); got != c.want {
			t.Errorf("%q stands for %q: %v", c.pattern, c.text, got)
		}
	}
}
