package steppath

import "testing"

func TestPaths(t *testing.T) {
	if p := Iteration("a.each", 12); p != "a.each[12]" {
		t.Error(p)
	}
	for path, want := range map[string]int{"each[3]": 3, "each[12].notify": 12, "each": -1, "each.x": -1, "each[x]": -1, "each[3": -1} {
		i, ok := Index("each", path)
		if !ok {
			i = -1
		}
		if i != want {
			t.Errorf("the index in %s: %d", path, i)
		}
	}
	for path, want := range map[string]bool{"a": true, "a.b": true, "a[1]": true, "a[1].b": true, "ab": false, "a_b": false, "b.a": false, "": false} {
		if Within(path, "a") != want {
			t.Errorf("%q within a: %v", path, !want)
		}
	}
	for path, want := range map[string]bool{"a": false, "a.undo": true, "on_failure.a": true, "finally.a.b": true, "a.finally.b": false, "undo": false} {
		if CleansUp(path) != want {
			t.Errorf("%s cleans up: %v", path, !want)
		}
	}
	if p := Step("each[3].all[0].pay.undo"); p != "each.all.pay" {
		t.Error(p)
	}
	if p := Static("each[3].all[0].pay.undo"); p != "each.all.pay.undo" {
		t.Error(p)
	}
}
