package zoom_test

import (
	"testing"
	"time"

	"zflow/actions"
	"zflow/internal/zoomapi"
)

var began = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

func TestProbeMeeting(t *testing.T) {
	const (
		listed  = "GET /users/me/meetings?page_size=300&type=scheduled"
		live    = "GET /users/me/meetings?page_size=300&type=live"
		forBob  = "GET /users/bob/meetings?page_size=300&type=scheduled"
		algebra = `"topic":"Algebra","type":2,"start_time":"2026-03-09T10:00:00Z","created_at":"2026-03-02T10:00:01Z"`
	)
	input := func(more ...any) map[string]any {
		in := map[string]any{"topic": "Algebra", "start_time": "2026-03-09T10:00:00Z"}
		for i := 0; i < len(more); i += 2 {
			in[more[i].(string)] = more[i+1]
		}
		return in
	}
	for name, c := range map[string]struct {
		input map[string]any
		at    string
		list  string
		found bool
		fails bool
	}{
		"there":               {input(), listed, `{"id":7,` + algebra + `}`, true, false},
		"nothing":             {input(), listed, ``, false, false},
		"among others":        {input(), listed, `{"id":6,"topic":"Other","type":2,"created_at":"2026-03-02T10:00:01Z"},{"id":7,` + algebra + `}`, true, false},
		"other topic":         {input("topic", "Logic"), listed, `{"id":7,` + algebra + `}`, false, false},
		"other type":          {input("type", int64(8)), listed, `{"id":7,` + algebra + `}`, false, false},
		"other time":          {input("start_time", "2026-03-09T11:00:00Z"), listed, `{"id":7,` + algebra + `}`, false, false},
		"made before":         {input(), listed, `{"id":7,"topic":"Algebra","type":2,"created_at":"2026-03-02T09:57:59Z"}`, false, false},
		"within the skew":     {input(), listed, `{"id":7,"topic":"Algebra","type":2,"created_at":"2026-03-02T09:58:00Z"}`, true, false},
		"no time of creation": {input(), listed, `{"id":7,"topic":"Algebra","type":2}`, false, false},
		"time with zone":      {input("start_time", "2026-03-09T11:00:00", "timezone", "Europe/Berlin"), listed, `{"id":7,` + algebra + `}`, true, false},
		"time in other zone":  {input("start_time", "2026-03-09T11:00:00", "timezone", "Asia/Tokyo"), listed, `{"id":7,` + algebra + `}`, false, false},
		"time without zone":   {input("start_time", "2026-03-09T23:00:00"), listed, `{"id":7,` + algebra + `}`, true, false},
		"two":                 {input(), listed, `{"id":7,` + algebra + `},{"id":8,` + algebra + `}`, false, true},
		"two occurrences":     {input(), listed, `{"id":7,` + algebra + `},{"id":7,` + algebra + `}`, true, false},
		"instant":             {input("type", int64(1), "start_time", nil), live, `{"id":7,"topic":"Algebra","type":1,"created_at":"2026-03-02T10:00:01Z"}`, true, false},
		"for somebody else":   {input("schedule_for", "bob"), forBob, `{"id":7,` + algebra + `}`, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			z := &api{answers: map[string]string{
				c.at:              `{"page_size":300,"meetings":[` + c.list + `]}`,
				"GET /meetings/7": `{"id":7,"start_url":"s"}`,
			}}
			a := z.action(t, "create_meeting", zoomapi.KindUser)
			found, r, err := a.Probe(t.Context(), actions.Call{Input: c.input, Started: began})
			if found != c.found || (err != nil) != c.fails {
				t.Fatalf("found %t, %v; asked %v", found, err, z.got)
			}
			if found && r.Output.(map[string]any)["start_url"] != "s" {
				t.Errorf("output %v is not the whole meeting", r.Output)
			}
			for _, call := range z.got {
				if call[:4] != "GET " {
					t.Errorf("the probe sent %s", call)
				}
			}
		})
	}
}

func TestProbeThatCannotTell(t *testing.T) {
	for answer, want := range map[string]actions.Class{
		`500 {}`:                            actions.ClassRetryable,
		`429 {}`:                            actions.ClassRetryable,
		`404 {"code":1001,"message":"no"}`:  actions.ClassFinal,
		`400 {"code":4711,"message":"no"}`:  actions.ClassFinal,
		`[]`:                                actions.ClassRetryable,
		`{"code":300,"message":"no, sir."}`: actions.ClassFinal,
	} {
		z := &api{answers: map[string]string{"GET /users/me/meetings?page_size=300&type=scheduled": answer}}
		found, _, err := z.action(t, "create_meeting", zoomapi.KindUser).Probe(t.Context(), actions.Call{Input: map[string]any{"topic": "x"}, Started: began})
		if e := asError(t, err); found || e == nil || e.Class != want {
			t.Errorf("%s: found %t, %v", answer, found, err)
		}
	}
}

func TestProbeRegistrant(t *testing.T) {
	list := func(status string) string { return "GET /meetings/5/registrants?page_size=300&status=" + status }
	empty := `{"page_size":300,"registrants":[]}`
	ann := `{"registrants":[{"id":"r1","email":"Ann@X.example","join_url":"j"},{"id":"r2","email":"bob@x.example"}]}`
	for name, c := range map[string]struct {
		answers map[string]string
		want    map[string]any
	}{
		"approved": {map[string]string{list("approved"): ann, "GET /meetings/5": `{"id":5,"topic":"T","start_time":"S"}`},
			map[string]any{"registrant_id": "r1", "join_url": "j", "id": int64(5), "topic": "T", "start_time": "S"}},
		"pending": {map[string]string{list("approved"): empty, list("pending"): ann, "GET /meetings/5": `{"id":5}`},
			map[string]any{"registrant_id": "r1", "join_url": "j", "id": int64(5)}},
		"may not read the meeting": {map[string]string{list("approved"): ann, "GET /meetings/5": `400 {"code":4711,"message":"no"}`},
			map[string]any{"registrant_id": "r1", "join_url": "j"}},
		"nobody": {map[string]string{list("approved"): empty, list("pending"): empty, list("denied"): empty}, nil},
	} {
		z := &api{answers: c.answers}
		a := z.action(t, "add_meeting_registrant", zoomapi.KindUser)
		found, r, err := a.Probe(t.Context(), actions.Call{Input: map[string]any{"meeting_id": int64(5), "email": "ann@x.EXAMPLE", "first_name": "Ann"}})
		if err != nil || found != (c.want != nil) {
			t.Errorf("%s: found %t, %v", name, found, err)
			continue
		}
		if found && !equal(r.Output, c.want) {
			t.Errorf("%s: %v, want %v", name, r.Output, c.want)
		}
	}
}

func equal(got any, want map[string]any) bool {
	m, ok := got.(map[string]any)
	if !ok || len(m) != len(want) {
		return false
	}
	for k, v := range want {
		if m[k] != v {
			return false
		}
	}
	return true
}

// Most actions have no probe: reads and what may be done twice need none.
func TestProbes(t *testing.T) {
	c := client(t, "", zoomapi.KindUser)
	for name := range answers {
		want := name == "create_meeting" || name == "add_meeting_registrant"
		if got := find(t, c, name).Probe != nil; got != want {
			t.Errorf("%s: probe %t", name, got)
		}
	}
}
