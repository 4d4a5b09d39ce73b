package zoom_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"zflow/actions"
	"zflow/actions/actionstest"
	"zflow/actions/zoom"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomcatalog"
)

const secret = "t0ken-t0ken-t0ken"

// client calls base with a fixed token of a user's connection.
func client(t testing.TB, base, kind string) *zoomapi.Client {
	token := zoomapi.Token{Access: secret, Connection: "school", Kind: kind}
	c := zoomapi.New(zoomapi.Options{
		Base:  base,
		Token: func(context.Context, string, string) (zoomapi.Token, error) { return token, nil },
		Renew: func(context.Context, zoomapi.Token) (zoomapi.Token, error) { return token, nil },
	})
	t.Cleanup(c.Close)
	return c
}

func find(t testing.TB, c *zoomapi.Client, name string) *actions.Action {
	t.Helper()
	for _, a := range zoom.Actions(c) {
		if a.Spec.Name == "zoom."+name {
			return a
		}
	}
	t.Fatalf("no action %s", name)
	return nil
}

// answers has for each action its input and Zoom's answer.
var answers = map[string]struct {
	input  map[string]any
	status int
	reply  string
}{
	"create_meeting":                 {map[string]any{"topic": "Algebra"}, 201, `{"id":91000000001,"uuid":"a==","topic":"Algebra","start_url":"https://x/s?zak=t0ken-t0ken-t0ken"}`},
	"get_meeting":                    {map[string]any{"meeting_id": int64(91000000001)}, 200, `{"id":91000000001,"start_url":"t0ken-t0ken-t0ken","dynamic_host_key":"t0ken-t0ken-t0ken"}`},
	"update_meeting":                 {map[string]any{"meeting_id": "91000000001", "topic": "B"}, 204, ``},
	"delete_meeting":                 {map[string]any{"meeting_id": int64(91000000001)}, 204, ``},
	"list_meetings":                  {map[string]any{}, 200, `{"page_size":300,"next_page_token":"","meetings":[{"id":91000000001}]}`},
	"add_meeting_registrant":         {map[string]any{"meeting_id": "1", "email": "a@x.example", "first_name": "A"}, 201, `{"id":1,"registrant_id":"r","join_url":"https://x/w?tk=t0ken-t0ken-t0ken"}`},
	"list_past_meeting_participants": {map[string]any{"meeting_id": "/a//b=="}, 200, `{"page_size":300,"participants":[{"name":"A"}]}`},
	"list_webinar_panelists":         {map[string]any{"webinar_id": int64(5)}, 200, `{"total_records":1,"panelists":[{"id":"p","name":"A","email":"a@x.example","join_url":"https://x/w?tk=t0ken-t0ken-t0ken"}]}`},
	"get_meeting_recordings":         {map[string]any{"meeting_id": "ab/c=="}, 200, `{"uuid":"ab/c==","recording_files":[],"download_access_token":"t0ken-t0ken-t0ken"}`},
	"list_users":                     {map[string]any{}, 200, `{"page_size":300,"users":[{"id":"u","email":"a@x.example","type":2}]}`},
	"get_user":                       {map[string]any{"user_id": "u"}, 200, `{"id":"u","email":"a@x.example","host_key":"t0ken-t0ken-t0ken"}`},
	"list_webinars":                  {map[string]any{}, 200, `{"page_size":300,"webinars":[{"id":5,"topic":"A"}]}`},
	"get_webinar":                    {map[string]any{"webinar_id": int64(5)}, 200, `{"id":5,"uuid":"a==","start_url":"https://x/s?zak=t0ken-t0ken-t0ken"}`},
	"list_recordings":                {map[string]any{"from": "2026-03-01"}, 200, `{"from":"2026-03-01","page_size":300,"meetings":[{"uuid":"a==","recording_files":[]}]}`},
	"list_account_recordings":        {map[string]any{}, 200, `{"page_size":300,"meetings":[{"uuid":"a=="}]}`},
	"get_past_meeting":               {map[string]any{"meeting_id": "/a//b=="}, 200, `{"uuid":"/a//b==","participants_count":3}`},
	"list_past_meeting_instances":    {map[string]any{"meeting_id": int64(5)}, 200, `{"meetings":[{"uuid":"a==","start_time":"2026-03-02T09:00:00Z"}]}`},
	"send_chat_message":              {map[string]any{"message": "hi", "to_channel": "c"}, 201, `{"id":"m"}`},
}

func TestConformance(t *testing.T) {
	for _, a := range zoom.Actions(client(t, "", zoomapi.KindUser)) {
		name := strings.TrimPrefix(a.Spec.Name, "zoom.")
		known, ok := answers[name]
		if !ok {
			t.Errorf("%s is not tested", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			suite := actionstest.Suite{
				New: func(t *testing.T, base string) *actions.Action {
					return find(t, client(t, base, zoomapi.KindUser), name)
				},
				Input:  func(string) map[string]any { return known.input },
				Status: known.status, Reply: known.reply,
				Secret: secret, Shaped: true,
			}
			suite.Run(t)
		})
	}
}

func TestSpecsComeFromTheCatalog(t *testing.T) {
	for _, a := range zoom.Actions(client(t, "", zoomapi.KindUser)) {
		op, ok := zoomcatalog.Operation(strings.TrimPrefix(a.Spec.Name, "zoom."))
		if !ok || a.Spec.RateLabel == "" || len(a.Spec.Scopes) == 0 || a.Spec.Connects != "zoom" {
			t.Errorf("%s: %+v", a.Spec.Name, a.Spec)
		}
		wantEffect := map[string]actions.Effect{"GET": actions.Read, "POST": actions.Write, "PATCH": actions.Idempotent, "DELETE": actions.Idempotent}
		if a.Spec.Effect != wantEffect[op.Method] {
			t.Errorf("%s: %s is %s", a.Spec.Name, op.Method, a.Spec.Effect)
		}
	}
}

// api is a Zoom that answers by "METHOD path?query" and keeps what it was sent.
type api struct {
	answers map[string]string // a number before a space is the status
	got     []string
	bodies  []string
}

func (z *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.Method + " " + r.RequestURI
	body, _ := io.ReadAll(r.Body)
	z.got, z.bodies = append(z.got, key), append(z.bodies, string(body))
	answer, ok := z.answers[key]
	status := 200
	switch {
	case !ok:
		status, answer = 404, `{"code":9999,"message":"unexpected `+strings.ReplaceAll(key, `"`, "'")+`"}`
	case len(answer) > 3 && answer[3] == ' ':
		fmt.Sscan(answer[:3], &status)
		answer = answer[4:]
	}
	w.WriteHeader(status)
	io.WriteString(w, answer)
}

func (z *api) action(t *testing.T, name, kind string) *actions.Action {
	server := httptest.NewServer(z)
	t.Cleanup(server.Close)
	return find(t, client(t, server.URL, kind), name)
}

func do(t *testing.T, a *actions.Action, c actions.Call) (map[string]any, *actions.Error) {
	t.Helper()
	r, err := a.Do(t.Context(), c)
	if err == nil {
		return r.Output.(map[string]any), nil
	}
	return nil, asError(t, err)
}

func asError(t *testing.T, err error) *actions.Error {
	t.Helper()
	var e *actions.Error
	if err != nil && !errors.As(err, &e) {
		t.Fatalf("not an *actions.Error: %v", err)
	}
	return e
}

func TestWhatIsSent(t *testing.T) {
	for name, c := range map[string]struct {
		action string
		input  map[string]any
		want   string
		body   string
	}{
		"create":          {"create_meeting", map[string]any{"topic": "A<B", "duration": int64(30), "agenda": nil}, "POST /users/me/meetings", `{"duration":30,"topic":"A<B"}`},
		"create for":      {"create_meeting", map[string]any{"user_id": "ann@x.example", "topic": "A"}, "POST /users/ann@x.example/meetings", `{"topic":"A"}`},
		"update":          {"update_meeting", map[string]any{"meeting_id": int64(5), "occurrence_id": "7", "settings": map[string]any{"waiting_room": true}}, "PATCH /meetings/5?occurrence_id=7", `{"settings":{"waiting_room":true}}`},
		"delete":          {"delete_meeting", map[string]any{"meeting_id": "5", "cancel_meeting_reminder": true}, "DELETE /meetings/5?cancel_meeting_reminder=true", ``},
		"register":        {"add_meeting_registrant", map[string]any{"meeting_id": int64(5), "email": "a@x", "first_name": "A", "occurrence_ids": []any{"1", int64(2)}}, "POST /meetings/5/registrants?occurrence_ids=1%2C2", `{"email":"a@x","first_name":"A"}`},
		"uuid":            {"get_meeting_recordings", map[string]any{"meeting_id": "ab/c+d=="}, "GET /meetings/ab%2Fc+d==/recordings", ``},
		"uuid with slash": {"get_meeting_recordings", map[string]any{"meeting_id": "/abc=="}, "GET /meetings/%252Fabc==/recordings", ``},
		"uuid with two":   {"list_past_meeting_participants", map[string]any{"meeting_id": "a//b=="}, "GET /past_meetings/a%252F%252Fb==/participants?page_size=300", ``},
		"list":            {"list_meetings", map[string]any{"type": "upcoming", "limit": int64(20)}, "GET /users/me/meetings?page_size=20&type=upcoming", ``},
		"chat":            {"send_chat_message", map[string]any{"message": "hi", "to_contact": "a@x"}, "POST /chat/users/me/messages", `{"message":"hi","to_contact":"a@x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			z := &api{answers: map[string]string{c.want: answers[c.action].reply}}
			if _, err := do(t, z.action(t, c.action, zoomapi.KindUser), actions.Call{Input: c.input}); err != nil {
				t.Fatal(err)
			}
			if strings.TrimSpace(z.bodies[0]) != c.body {
				t.Errorf("sent %s, want %s", z.bodies[0], c.body)
			}
		})
	}
}

func TestBadInputSendsNothing(t *testing.T) {
	for name, c := range map[string]struct {
		action string
		input  map[string]any
	}{
		"no meeting":       {"get_meeting", map[string]any{}},
		"null meeting":     {"delete_meeting", map[string]any{"meeting_id": nil}},
		"empty meeting":    {"delete_meeting", map[string]any{"meeting_id": " "}},
		"dots":             {"delete_meeting", map[string]any{"meeting_id": ".."}},
		"meeting a list":   {"get_meeting", map[string]any{"meeting_id": []any{}}},
		"fraction":         {"get_meeting", map[string]any{"meeting_id": 1.5}},
		"no email":         {"add_meeting_registrant", map[string]any{"meeting_id": "1", "first_name": "A"}},
		"no message":       {"send_chat_message", map[string]any{"to_channel": "c"}},
		"nobody to tell":   {"send_chat_message", map[string]any{"message": "hi"}},
		"two to tell":      {"send_chat_message", map[string]any{"message": "hi", "to_channel": "c", "to_contact": "d"}},
		"limit of 0":       {"list_meetings", map[string]any{"limit": int64(0)}},
		"limit too large":  {"list_meetings", map[string]any{"limit": int64(10_001)}},
		"limit a text":     {"list_meetings", map[string]any{"limit": "5"}},
		"user a number":    {"list_meetings", map[string]any{"user_id": 1.5}},
		"query an object":  {"list_meetings", map[string]any{"from": map[string]any{}}},
		"null email given": {"add_meeting_registrant", map[string]any{"meeting_id": "1", "first_name": "A", "email": nil}},
	} {
		z := &api{}
		_, err := do(t, z.action(t, c.action, zoomapi.KindUser), actions.Call{Input: c.input})
		if err == nil || err.Class != actions.ClassFinal || len(z.got) != 0 {
			t.Errorf("%s: %v, sent %v", name, err, z.got)
		}
	}
}

// Without a user, Zoom is asked about me, which it knows with every kind of
// connection: with a server-to-server one it is the app's owner.
func TestWithoutAUserItIsMe(t *testing.T) {
	for _, kind := range []string{zoomapi.KindUser, zoomapi.KindServer} {
		for _, user := range []any{nil, "", " ", "me"} {
			z := &api{answers: map[string]string{"POST /users/me/meetings": `201 {"id":5}`}}
			_, err := do(t, z.action(t, "create_meeting", kind), actions.Call{Input: map[string]any{"user_id": user, "topic": "T"}})
			if err != nil || len(z.got) != 1 || strings.Contains(z.bodies[0], "user_id") {
				t.Errorf("%s, user %v: %v, sent %v %v", kind, user, err, z.got, z.bodies)
			}
		}
	}
}

func TestDeleteThatFindsNothing(t *testing.T) {
	missing := `404 {"code":3001,"message":"Meeting does not exist: 5."}`
	for _, c := range []struct {
		answer  string
		unknown bool
		ok      bool
	}{
		{missing, true, true},
		{missing, false, false},
		{`404 {"code":1001,"message":"User does not exist."}`, true, false},
		{`400 {"code":3001,"message":"no"}`, true, false},
	} {
		z := &api{answers: map[string]string{"DELETE /meetings/5": c.answer}}
		out, err := do(t, z.action(t, "delete_meeting", zoomapi.KindUser), actions.Call{Input: map[string]any{"meeting_id": int64(5)}, Unknown: c.unknown})
		if (err == nil) != c.ok || c.ok && !reflect.DeepEqual(out, map[string]any{"meeting_id": "5"}) {
			t.Errorf("%+v: %v, %v", c, out, err)
		}
	}
}

// A meeting that is not there is an error to all but a delete that may have done it.
func TestGetThatFindsNothingAfterUnknown(t *testing.T) {
	z := &api{answers: map[string]string{"GET /meetings/5": `404 {"code":3001,"message":"Meeting does not exist: 5."}`}}
	_, err := do(t, z.action(t, "get_meeting", zoomapi.KindUser), actions.Call{Input: map[string]any{"meeting_id": int64(5)}, Unknown: true})
	if err == nil || err.Class != actions.ClassFinal || err.Status != 404 || err.Code != "3001" {
		t.Errorf("%v", err)
	}
}

func TestWhatZoomLeavesOutIsNoFailure(t *testing.T) {
	for name, reply := range map[string]string{
		"create_meeting":                 `201 {"id":12345678901234567890}`,
		"get_meeting":                    `{"uuid":"a=="}`,
		"add_meeting_registrant":         `201 {"registrant_id":"r"}`,
		"get_meeting_recordings":         `{"id":1}`,
		"list_meetings":                  `{"page_size":30}`,
		"list_past_meeting_participants": `{"total_records":0}`,
	} {
		known := answers[name]
		z := &api{answers: map[string]string{}}
		a := z.action(t, name, zoomapi.KindUser)
		do(t, a, actions.Call{Input: known.input}) // finds the address out
		z.answers[z.got[0]] = reply
		out, err := do(t, a, actions.Call{Input: known.input})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "create_meeting" && out["id"] != "12345678901234567890" {
			t.Errorf("digits were lost: %v", out["id"])
		}
	}
}

// What a write's 2xx without meaning says is that it may have happened.
func TestClassOfStrangeAnswers(t *testing.T) {
	for name, want := range map[string]actions.Class{
		"create_meeting": actions.ClassUnknown, "send_chat_message": actions.ClassUnknown,
		"get_meeting": actions.ClassRetryable, "update_meeting": actions.ClassRetryable,
	} {
		known := answers[name]
		z := &api{answers: map[string]string{}}
		a := z.action(t, name, zoomapi.KindUser)
		do(t, a, actions.Call{Input: known.input})
		z.answers[z.got[0]] = `<html>`
		if _, err := do(t, a, actions.Call{Input: known.input}); err == nil || err.Class != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
		z.answers[z.got[0]] = `{"code":200,"message":"No permission."}`
		if _, err := do(t, a, actions.Call{Input: known.input}); err == nil || err.Class != actions.ClassFinal || err.Code != "200" {
			t.Errorf("%s: %v, want final", name, err)
		}
	}
}

func TestPages(t *testing.T) {
	page := func(token string, ids ...int) string {
		items := make([]string, len(ids))
		for i, id := range ids {
			items[i] = fmt.Sprintf(`{"id":%d}`, id)
		}
		return fmt.Sprintf(`{"total_records":5,"next_page_token":%q,"meetings":[%s]}`, token, strings.Join(items, ","))
	}
	at := func(size int, token string) string {
		if token != "" {
			token = "next_page_token=" + token + "&"
		}
		return fmt.Sprintf("GET /users/me/meetings?%spage_size=%d&type=live", token, size)
	}
	for name, c := range map[string]struct {
		limit any
		pages map[string]string
		items int
		more  bool
		calls int
	}{
		"all":             {nil, map[string]string{at(300, ""): page("p2", 1, 2), at(300, "p2"): page("p3", 3, 4), at(300, "p3"): page("", 5)}, 5, false, 3},
		"limit in a page": {int64(3), map[string]string{at(3, ""): page("p2", 1, 2), at(3, "p2"): page("p3", 3, 4)}, 3, true, 2},
		"limit at an end": {int64(2), map[string]string{at(2, ""): page("p2", 1, 2)}, 2, true, 1},
		"limit is all":    {int64(5), map[string]string{at(5, ""): page("p2", 1, 2), at(5, "p2"): page("", 3, 4, 5)}, 5, false, 2},
		"nothing":         {nil, map[string]string{at(300, ""): page("")}, 0, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			z := &api{answers: c.pages}
			out, err := do(t, z.action(t, "list_meetings", zoomapi.KindUser), actions.Call{Input: map[string]any{"type": "live", "limit": c.limit}})
			if err != nil {
				t.Fatal(err)
			}
			if got := out["meetings"].([]any); len(got) != c.items || out["more"] != c.more || len(z.got) != c.calls {
				t.Errorf("%v in %d calls", out, len(z.got))
			}
		})
	}
}

func TestPagesInACircle(t *testing.T) {
	z := &api{answers: map[string]string{
		"GET /users/me/meetings?page_size=300":                    `{"next_page_token":"a","meetings":[{"id":1}]}`,
		"GET /users/me/meetings?next_page_token=a&page_size=300":  `{"next_page_token":"a","meetings":[{"id":1}]}`,
		"GET /users/bob/meetings?page_size=300":                   `{"next_page_token":"b","meetings":[]}`,
		"GET /users/eve/meetings?page_size=300":                   `{"meetings":{"id":1}}`,
		"GET /users/joe/meetings?page_size=300":                   `{"next_page_token":"a","meetings":[{"id":1}]}`,
		"GET /users/joe/meetings?next_page_token=a&page_size=300": `404 {"code":300,"message":"The next page token is either invalid or has expired."}`,
	}}
	a := z.action(t, "list_meetings", zoomapi.KindUser)
	for user, want := range map[string]actions.Class{
		"me": actions.ClassRetryable, "bob": actions.ClassRetryable, "eve": actions.ClassRetryable, "joe": actions.ClassFinal,
	} {
		_, err := do(t, a, actions.Call{Input: map[string]any{"user_id": user}})
		if err == nil || err.Class != want {
			t.Errorf("%s: %v", user, err)
		}
	}
}

func TestErrorsCarryZoomsWords(t *testing.T) {
	z := &api{answers: map[string]string{
		"POST /users/me/meetings": `400 {"code":300,"message":"Validation Failed.","errors":[{"field":"start_time","message":"Invalid field."}]}`,
	}}
	_, err := do(t, z.action(t, "create_meeting", zoomapi.KindUser), actions.Call{Input: map[string]any{"topic": "x"}})
	if err == nil || err.Error() != "Validation Failed.; start_time: Invalid field. (status 400, code 300)" {
		t.Errorf("%v", err)
	}
}

func TestHostLimitWaitsForMidnight(t *testing.T) {
	z := &api{answers: map[string]string{
		"POST /users/me/meetings": `429 {"code":429,"message":"You have exceeded the daily rate limit of (100) for Meeting Create/Update API requests permitted for this user."}`,
	}}
	_, err := do(t, z.action(t, "create_meeting", zoomapi.KindUser), actions.Call{Input: map[string]any{"topic": "x"}})
	at := err.RetryAt.UTC()
	if err.Class != actions.ClassRetryable || !at.After(time.Now()) || at.Hour() != 0 || at.Minute() != 0 || time.Until(at) > 24*time.Hour {
		t.Errorf("%v, not before %v", err, at)
	}
}
