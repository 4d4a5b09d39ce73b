package catalog

import (
	"fmt"
	"strings"
	"testing"
)

func asked(name, http string) []byte {
	return fmt.Appendf(nil, "name: %s\non:\n  - zoom: meeting.ended\n  - http: %s\nsteps:\n  - { uses: say, with: { text: x } }\n", name, http)
}

// Requests that are a deployed workflow's, paused or not, are refused to any other, by
// deployment and by rollback; once it is gone, or going, they may be taken.
func TestRequestsOfAnother(t *testing.T) {
	h := open(t)
	first := h.deploy(t, asked("a", "{ path: orders/new, method: [GET, POST] }"))
	must(t, h.Pause(t.Context(), "a"))
	for http, want := range map[string]string{
		"{ path: orders/new }":                      "deploying w.yaml: w.yaml:4:11: POST /http/orders/new is taken by workflow a, which is deployed (give one of them another path, or other methods)",
		"{ path: orders/new, method: any }":         "deploying w.yaml: w.yaml:4:11: GET /http/orders/new is taken by workflow a, which is deployed (give one of them another path, or other methods)",
		"{ path: orders/new, method: [PUT, POST] }": "deploying w.yaml: w.yaml:4:11: POST /http/orders/new is taken",
	} {
		_, problems, err := h.Deploy(t.Context(), "w.yaml", asked("b", http))
		if err == nil || !strings.HasPrefix(err.Error(), want) || len(problems) != 1 {
			t.Errorf("%s: %v, %v", http, err, problems)
		}
	}
	if all, err := h.List(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("deployed are %v, %v", all, err)
	}
	other := h.deploy(t, asked("b", "{ path: orders/new, method: DELETE }"))
	h.deploy(t, asked("a", "{ path: orders/new, method: [GET, POST] }")) // its own are no other's
	if d, _, err := h.Deploy(t.Context(), "w.yaml", asked("b", "{ path: orders/new }"), "a"); err != nil || d.Change != Updated {
		t.Errorf("beside one that leaves: %+v, %v", d, err)
	}
	h.deploy(t, asked("a", "{ path: elsewhere }"))
	if _, err := h.Rollback(t.Context(), "a", first.Version); err == nil || !strings.Contains(err.Error(), "POST /http/orders/new is taken by workflow b") {
		t.Errorf("rolled back to what is another's: %v", err)
	}
	if d, err := h.Rollback(t.Context(), "b", other.Version); err != nil || d.Version != other.Version {
		t.Errorf("%+v, %v", d, err)
	}
	must(t, h.Remove(t.Context(), "b"))
	if _, err := h.Rollback(t.Context(), "a", first.Version); err != nil {
		t.Error(err)
	}
}
