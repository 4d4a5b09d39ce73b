package sealed

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestOpenValueCopiesOnlyWhatItOpens(t *testing.T) {
	k := newKeys(t)
	m := k.Public().Seal("tok")
	untouched := map[string]any{"n": int64(1), "list": []any{"a", nil, true}}
	tree := map[string]any{
		"plain": untouched,
		"deep":  []any{map[string]any{"auth": "Bearer " + m, "n": int64(7)}, "x"},
	}
	got, err := k.OpenValue(tree)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"plain": untouched, "deep": []any{map[string]any{"auth": "Bearer tok", "n": int64(7)}, "x"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	if tree["deep"].([]any)[0].(map[string]any)["auth"] != "Bearer "+m {
		t.Error("the original was changed: it may be recorded later")
	}
	shared := got.(map[string]any)["plain"]
	if reflect.ValueOf(shared).Pointer() != reflect.ValueOf(untouched).Pointer() {
		t.Error("what holds no marker was copied")
	}
	for _, v := range []any{nil, 1.5, "text", []any{}, untouched} {
		if got, err := k.OpenValue(v); err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("OpenValue(%v) = %v, %v", v, got, err)
		}
	}
}

func TestWhatCannotBeOpenedIsAnError(t *testing.T) {
	k, stranger := newKeys(t), newKeys(t)
	m := k.Public().Seal("topsecret")
	box := strings.LastIndexByte(m, '.') + 1
	flipped := m[:box] + strings.Repeat("A", 20) + m[box+20:]
	for name, text := range map[string]string{
		"unknown key": stranger.Public().Seal("topsecret"), "altered": flipped,
		"odd base64": m[:len(m)-1] + "A~",
	} {
		for _, v := range []any{text, []any{text}, map[string]any{"a": text}} {
			got, err := k.OpenValue(v)
			if err == nil || strings.Contains(err.Error(), "topsecret") {
				t.Errorf("%s: got %v, %v", name, got, err)
			}
		}
	}
}

func BenchmarkOpenValueNothing(b *testing.B) {
	k := newKeys(b)
	tree := map[string]any{"a": "text", "b": []any{"x", "y", int64(1)}, "c": map[string]any{"d": strings.Repeat("z", 400)}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.OpenValue(tree); err != nil {
			b.Fatal(err)
		}
	}
}

func TestPlain(t *testing.T) {
	k := newKeys(t)
	got, err := k.Plain(`{"a":"Bearer ` + k.Public().Seal("first") + `","b":["` + k.Public().Seal("se\ncond") + `"]}`)
	if err != nil || !slices.Equal(got, []string{"first", "se\ncond"}) {
		t.Errorf("%q %v", got, err)
	}
	if got, err := k.Plain("nothing"); got != nil || err != nil {
		t.Errorf("%q %v", got, err)
	}
	other := newKeys(t)
	if _, err := k.Plain(other.Public().Seal("not ours")); err == nil {
		t.Error("a marker of another key is opened")
	}
}
