package value

import (
	"reflect"
	"testing"

	v1 "zflow/proto/zflow/v1"
)

func TestError(t *testing.T) {
	for want, e := range map[any]*v1.Error{
		int64(3001): {Code: "3001", Status: 404},
		int64(404):  {Status: 404},
		"not_found": {Code: "not_found", Status: 404},
	} {
		if got := Error(e, "final").(map[string]any)["code"]; got != want {
			t.Errorf("%v: code %v, want %v", e, got, want)
		}
	}
	if got := Error(&v1.Error{}, "").(map[string]any)["class"]; got != "final" {
		t.Errorf("without a class it is %v", got)
	}
	if Error(nil, "") != nil {
		t.Error("no error is one")
	}
}

func TestFailure(t *testing.T) {
	if Failure(nil) != nil || Failure(&v1.RunEnding{State: "canceled"}) != nil {
		t.Error("a run has failed that has not")
	}
	got := Failure(&v1.RunEnding{State: "failed", Step: "a", Reason: "step", Error: &v1.Error{Message: "m", Status: 500, Class: "retryable"}})
	want := map[string]any{"step": "a", "reason": "step", "error": map[string]any{"message": "m", "code": int64(500), "status": int64(500), "class": "retryable"}}
	if !reflect.DeepEqual(got, want) {
		t.Error(got)
	}
}

func TestPage(t *testing.T) {
	if Page("", "r") != nil || Page("http://x/", "r") != "http://x/r" {
		t.Error("the page is another")
	}
}
