package described_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"zflow/actions"
	"zflow/actions/actionstest"
	"zflow/actions/http"
	"zflow/internal/described"
)

const secret = "s3cret-t0ken:of-the-app"

type object = map[string]any

// exchange is a request as it must come, and the answer to it.
type exchange struct {
	request string // METHOD https://host/path?query
	headers object // that must be so
	body    string // JSON, compared as such; or text
	status  int    // 0: 200
	reply   string
	answers object // headers
}

// story is a use of an action against servers that know what they want.
type story struct {
	action string
	with   object
	bot    bool // with a connection instead of a token
	calls  []exchange
	output object        // nil: it fails
	class  actions.Class // of the error
	code   string
	says   string
	wait   time.Duration // until it may be tried again
}

var bearer = object{"Authorization": "Bearer " + secret}

func slack(method, body, reply string) exchange {
	return exchange{request: "POST https://slack.com/api/" + method, headers: bearer, body: body, reply: reply}
}

var stories = map[string]story{
	"slack posts": {
		action: "slack.post_message", with: object{"channel": "#a", "text": "hé <&>", "thread_ts": "1.2"},
		calls:  []exchange{slack("chat.postMessage", `{"channel":"#a","text":"hé <&>","thread_ts":"1.2"}`, `{"ok":true,"channel":"C1","ts":"1503435956.000247","message":{"text":"hé"}}`)},
		output: object{"channel": "C1", "ts": "1503435956.000247"},
	},
	"slack refuses in a 200": {
		action: "slack.post_message", with: object{"channel": "#a", "blocks": []any{object{"type": "divider", "x": nil}}},
		calls: []exchange{slack("chat.postMessage", `{"channel":"#a","blocks":[{"type":"divider","x":null}]}`, `{"ok":false,"error":"missing_scope","needed":"chat:write","provided":"`+secret+`"}`)},
		class: actions.ClassFinal, code: "missing_scope", says: "it needs the scope chat:write",
	},
	"slack is full": {
		action: "slack.post_message", with: object{"channel": "#a", "text": "x"},
		calls: []exchange{{request: "POST https://slack.com/api/chat.postMessage", body: `{"channel":"#a","text":"x"}`, status: 429, reply: `{"ok":false,"error":"ratelimited"}`, answers: object{"Retry-After": "30"}}},
		class: actions.ClassRetryable, code: "ratelimited", wait: 30 * time.Second,
	},
	"slack does not know itself": {
		action: "slack.post_message", with: object{"channel": "#a", "text": "x"},
		calls: []exchange{slack("chat.postMessage", `{"channel":"#a","text":"x"}`, `{"ok":false,"error":"fatal_error"}`)},
		class: actions.ClassUnknown, code: "fatal_error",
	},
	"slack breaks after a write": {
		action: "slack.post_message", with: object{"channel": "#a", "text": "x"},
		calls: []exchange{{request: "POST https://slack.com/api/chat.postMessage", body: `{"channel":"#a","text":"x"}`, status: 502, reply: "bad gateway"}},
		class: actions.ClassUnknown,
	},
	"slack takes nothing now": {
		action: "slack.post_message", with: object{"channel": "#a", "text": "x"},
		calls: []exchange{{request: "POST https://slack.com/api/chat.postMessage", body: `{"channel":"#a","text":"x"}`, status: 503}},
		class: actions.ClassRetryable,
	},
	"slack updates": {
		action: "slack.update_message", with: object{"channel": "C1", "ts": "1.2", "text": "y"},
		calls:  []exchange{slack("chat.update", `{"channel":"C1","ts":"1.2","text":"y"}`, `{"ok":true,"channel":"C1","ts":"1.2","text":"y"}`)},
		output: object{"channel": "C1", "ts": "1.2"},
	},
	"slack update may happen again": {
		action: "slack.update_message", with: object{"channel": "C1", "ts": "1.2", "text": "y"},
		calls: []exchange{slack("chat.update", `{"channel":"C1","ts":"1.2","text":"y"}`, `{"ok":false,"error":"internal_error"}`)},
		class: actions.ClassRetryable, code: "internal_error",
	},
	"slack finds": {
		action: "slack.find_user", with: object{"email": "a+b@x.org"}, bot: true,
		calls:  []exchange{{request: "GET https://slack.com/api/users.lookupByEmail?email=a%2Bb%40x.org", headers: bearer, reply: `{"ok":true,"user":{"id":"U1","name":"ann","deleted":false,"tz":"Europe/Berlin","profile":{"real_name":"Ann B"}}}`}},
		output: object{"id": "U1", "name": "ann", "real_name": "Ann B", "timezone": "Europe/Berlin", "deleted": false},
	},
	"slack finds nobody": {
		action: "slack.find_user", with: object{"email": "a@x.org"},
		calls: []exchange{{request: "GET https://slack.com/api/users.lookupByEmail?email=a%40x.org", reply: `{"ok":false,"error":"users_not_found"}`}},
		class: actions.ClassFinal, code: "users_not_found",
	},
	"slack takes a file": {
		action: "slack.upload_file", with: object{"channel": "C1", "title": "T", "file": theFile.Value()},
		calls: []exchange{
			{request: "POST https://slack.com/api/files.getUploadURLExternal", headers: bearer, body: "filename=a.txt&length=5", reply: `{"ok":true,"upload_url":"https://files.slack.com/upload/v1/ABC?x=1","file_id":"F1"}`},
			{request: "POST https://files.slack.com/upload/v1/ABC?x=1", headers: object{"Authorization": "", "Content-Type": "application/octet-stream", "Content-Length": "5"}, body: "hello", reply: "OK - 5"},
			slack("files.completeUploadExternal", `{"files":[{"id":"F1","title":"T"}],"channel_id":"C1"}`, `{"ok":true,"files":[{"id":"F1","title":"T"}]}`),
		},
		output: object{"id": "F1", "title": "T"},
	},
	"slack loses a file": {
		action: "slack.upload_file", with: object{"file": theFile.Value()},
		calls: []exchange{
			{request: "POST https://slack.com/api/files.getUploadURLExternal", body: "filename=a.txt&length=5", reply: `{"ok":true,"upload_url":"https://files.slack.com/u","file_id":"F1"}`},
			{request: "POST https://files.slack.com/u", body: "hello", status: 500},
		},
		class: actions.ClassRetryable,
	},
	"teams posts": {
		action: "teams.post_message", with: object{"webhook_url": "https://teams.example.org/hook?sig=s3cret-signature", "text": "it *is*"},
		calls: []exchange{{request: "POST https://teams.example.org/hook?sig=s3cret-signature", status: 202, body: `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":` +
			`{"$schema":"http://adaptivecards.io/schemas/adaptive-card.json","type":"AdaptiveCard","version":"1.4","body":[{"type":"TextBlock","text":"it *is*","wrap":true}]}}]}`}},
		output: object{"status": int64(202)},
	},
	"teams posts a card": {
		action: "teams.post_message", with: object{"webhook_url": "https://teams.example.org/h", "card": object{"type": "AdaptiveCard"}},
		calls:  []exchange{{request: "POST https://teams.example.org/h", reply: "1", body: `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":{"type":"AdaptiveCard"}}]}`}},
		output: object{"status": int64(200)},
	},
	"teams refuses in a 200": {
		action: "teams.post_message", with: object{"webhook_url": "https://teams.example.org/h", "card": object{"type": "AdaptiveCard"}},
		calls: []exchange{{request: "POST https://teams.example.org/h", reply: "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x", body: `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":{"type":"AdaptiveCard"}}]}`}},
		class: actions.ClassRetryable,
	},
	"discord posts by webhook": {
		action: "discord.post_message", with: object{"webhook_url": "https://discord.com/api/webhooks/1/s3cret-webhook", "content": "x", "username": "zf"},
		calls:  []exchange{{request: "POST https://discord.com/api/webhooks/1/s3cret-webhook?wait=true", headers: object{"Authorization": ""}, body: `{"content":"x","username":"zf"}`, reply: `{"id":"12345678901234567890","channel_id":"2"}`}},
		output: object{"id": "12345678901234567890", "channel_id": "2"},
	},
	"discord posts as a bot": {
		action: "discord.post_message", with: object{"channel_id": "2", "content": "x"}, bot: true,
		calls: []exchange{{request: "POST https://discord.com/api/v10/channels/2/messages", headers: object{"Authorization": "Bot " + secret},
			body: `{"content":"x","nonce":"dfda39233c81c2859d1ba221","enforce_nonce":true}`, reply: `{"id":"1","channel_id":"2"}`}},
		output: object{"id": "1", "channel_id": "2"},
	},
	"discord is full": {
		action: "discord.post_message", with: object{"webhook_url": "https://discord.com/api/webhooks/1/s3cret-webhook", "content": "x"},
		calls: []exchange{{request: "POST https://discord.com/api/webhooks/1/s3cret-webhook?wait=true", body: `{"content":"x"}`, status: 429, reply: `{"message":"You are being rate limited.","retry_after":64.57,"global":false}`}},
		class: actions.ClassRetryable, wait: 64570 * time.Millisecond, says: "rate limited",
	},
	"discord does not like it": {
		action: "discord.post_message", with: object{"webhook_url": "https://discord.com/api/webhooks/1/s3cret-webhook", "content": "x"},
		calls: []exchange{{request: "POST https://discord.com/api/webhooks/1/s3cret-webhook?wait=true", body: `{"content":"x"}`, status: 400, reply: `{"code":50035,"message":"Invalid Form Body","errors":{}}`}},
		class: actions.ClassFinal, code: "50035", says: "Invalid Form Body",
	},
	"sheets appends": {
		action: "google_sheets.append_rows", with: object{"spreadsheet_id": "1Ab/../C", "range": "My Sheet!A1:B2", "rows": []any{[]any{"a", int64(1), nil}}}, bot: true,
		calls: []exchange{{request: "POST https://sheets.googleapis.com/v4/spreadsheets/1Ab%2F..%2FC/values/My%20Sheet%21A1:B2:append?insertDataOption=INSERT_ROWS&valueInputOption=USER_ENTERED", headers: bearer,
			body: `{"majorDimension":"ROWS","values":[["a",1,null]]}`, reply: `{"spreadsheetId":"1Ab","tableRange":"A1:B1","updates":{"spreadsheetId":"1Ab","updatedRange":"A2:B2","updatedRows":1,"updatedCells":2}}`}},
		output: object{"spreadsheet_id": "1Ab", "updated_range": "A2:B2", "updated_rows": int64(1)},
	},
	"sheets may not": {
		action: "google_sheets.append_rows", with: object{"spreadsheet_id": "1", "range": "A1", "rows": []any{}, "value_input_option": "RAW"},
		calls: []exchange{{request: "POST https://sheets.googleapis.com/v4/spreadsheets/1/values/A1:append?insertDataOption=INSERT_ROWS&valueInputOption=RAW", body: `{"majorDimension":"ROWS","values":[]}`,
			status: 403, reply: `{"error":{"code":403,"message":"The caller does not have permission","status":"PERMISSION_DENIED"}}`}},
		class: actions.ClassFinal, code: "403", says: "The caller does not have permission",
	},
	"notion creates": {
		action: "notion.create_page", with: object{"parent": object{"data_source_id": "d"}, "title": "T", "title_property": "Name", "text": "a\n\nb", "properties": object{"Done": object{"checkbox": true}}, "icon": "🎥"},
		calls: []exchange{{request: "POST https://api.notion.com/v1/pages", headers: object{"Authorization": "Bearer " + secret, "Notion-Version": "2025-09-03"},
			body: `{"parent":{"data_source_id":"d"},"properties":{"Name":{"title":[{"text":{"content":"T"}}]},"Done":{"checkbox":true}},"icon":{"type":"emoji","emoji":"🎥"},"children":[` +
				`{"object":"block","type":"paragraph","paragraph":{"rich_text":[{"type":"text","text":{"content":"a"}}]}},{"object":"block","type":"paragraph","paragraph":{"rich_text":[{"type":"text","text":{"content":"b"}}]}}]}`,
			reply: `{"object":"page","id":"p1","url":"https://www.notion.so/T-p1"}`}},
		output: object{"id": "p1", "url": "https://www.notion.so/T-p1"},
	},
	"notion has a conflict": {
		action: "notion.create_page", with: object{"parent": object{"page_id": "d"}},
		calls: []exchange{{request: "POST https://api.notion.com/v1/pages", body: `{"parent":{"page_id":"d"},"properties":{}}`, status: 409, reply: `{"object":"error","status":409,"code":"conflict_error","message":"Conflict occurred while saving."}`}},
		class: actions.ClassRetryable, code: "conflict_error", says: "Conflict occurred",
	},
	"github creates": {
		action: "github.create_issue", with: object{"owner": "o", "repo": "a/b", "title": "T", "labels": []any{"x"}}, bot: true,
		calls: []exchange{{request: "POST https://api.github.com/repos/o/a%2Fb/issues", headers: object{"Authorization": "Bearer " + secret, "Accept": "application/vnd.github+json", "X-Github-Api-Version": "2022-11-28", "User-Agent": "zflow"},
			body: `{"title":"T","labels":["x"]}`, status: 201, reply: `{"id":9007199254740993,"number":7,"html_url":"https://github.com/o/a/issues/7","state":"open"}`}},
		output: object{"number": int64(7), "url": "https://github.com/o/a/issues/7", "id": int64(9007199254740993)},
	},
	"github's second limit": {
		action: "github.create_issue", with: object{"owner": "o", "repo": "r", "title": "T"},
		calls: []exchange{{request: "POST https://api.github.com/repos/o/r/issues", body: `{"title":"T"}`, status: 403, answers: object{"Retry-After": "60"}, reply: `{"message":"You have exceeded a secondary rate limit."}`}},
		class: actions.ClassRetryable, wait: time.Minute,
	},
	"github's first limit": {
		action: "github.create_issue", with: object{"owner": "o", "repo": "r", "title": "T"},
		calls: []exchange{{request: "POST https://api.github.com/repos/o/r/issues", body: `{"title":"T"}`, status: 403, answers: object{"X-Ratelimit-Remaining": "0", "X-Ratelimit-Reset": "RESET"}, reply: `{"message":"API rate limit exceeded"}`}},
		class: actions.ClassRetryable, wait: 10 * time.Minute,
	},
	"github refuses": {
		action: "github.create_issue", with: object{"owner": "o", "repo": "r", "title": "T"},
		calls: []exchange{{request: "POST https://api.github.com/repos/o/r/issues", body: `{"title":"T"}`, status: 403, answers: object{"X-Ratelimit-Remaining": "4000"}, reply: `{"message":"Resource not accessible by personal access token"}`}},
		class: actions.ClassFinal, says: "not accessible",
	},
	"openai answers": {
		action: "openai.chat", with: object{"model": "m", "system": "short", "prompt": "hi", "temperature": 0.5},
		calls: []exchange{{request: "POST https://api.openai.com/v1/chat/completions", headers: bearer, body: `{"model":"m","messages":[{"role":"system","content":"short"},{"role":"user","content":"hi"}],"temperature":0.5}`,
			reply: `{"id":"c","model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":"ho"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1}}`}},
		output: object{"text": "ho", "finish_reason": "stop", "model": "m-1", "prompt_tokens": int64(9), "completion_tokens": int64(1)},
	},
	"another server answers": {
		action: "openai.chat", with: object{"model": "m", "messages": []any{object{"role": "user", "content": "hi"}}, "base_url": "https://llm.example.org/api"},
		calls:  []exchange{{request: "POST https://llm.example.org/api/chat/completions", body: `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, reply: `{"choices":[{"message":{"content":"ho"}}]}`}},
		output: object{"text": "ho"},
	},
	"openai has no credit": {
		action: "openai.chat", with: object{"model": "m", "prompt": "hi"},
		calls: []exchange{{request: "POST https://api.openai.com/v1/chat/completions", body: `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, status: 429, reply: `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`}},
		class: actions.ClassFinal, code: "insufficient_quota", says: "quota",
	},
	"openai breaks": {
		action: "openai.chat", with: object{"model": "m", "prompt": "hi"},
		calls: []exchange{{request: "POST https://api.openai.com/v1/chat/completions", body: `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, status: 500}},
		class: actions.ClassRetryable,
	},
	"telegram sends": {
		action: "telegram.send_message", with: object{"chat_id": int64(-1001234567890), "text": "x", "parse_mode": "HTML"}, bot: true,
		calls:  []exchange{{request: "POST https://api.telegram.org/bot" + secret + "/sendMessage", headers: object{"Authorization": ""}, body: `{"chat_id":-1001234567890,"text":"x","parse_mode":"HTML"}`, reply: `{"ok":true,"result":{"message_id":5,"chat":{"id":-1001234567890},"text":"x"}}`}},
		output: object{"message_id": int64(5), "chat_id": int64(-1001234567890)},
	},
	"telegram is full": {
		action: "telegram.send_message", with: object{"chat_id": "@a", "text": "x"},
		calls: []exchange{{request: "POST https://api.telegram.org/bot" + secret + "/sendMessage", body: `{"chat_id":"@a","text":"x"}`, status: 429, reply: `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 14","parameters":{"retry_after":14}}`}},
		class: actions.ClassRetryable, code: "429", wait: 14 * time.Second,
	},
	"telegram's bot is blocked": {
		action: "telegram.send_message", with: object{"chat_id": "@a", "text": "x"},
		calls: []exchange{{request: "POST https://api.telegram.org/bot" + secret + "/sendMessage", body: `{"chat_id":"@a","text":"x"}`, status: 403, reply: `{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}`}},
		class: actions.ClassFinal, code: "403", says: "blocked by the user",
	},
}

var theFile = actions.File{ID: "file-1", Name: "a.txt", Type: "text/plain", Size: 5, SHA256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}

var oneFile = actions.Files{Open: func(context.Context, actions.File) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("hello")), nil
}}

func TestFamilyIsWhole(t *testing.T) {
	c, err := http.New(http.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := described.Family(c)
	if err != nil || len(all) != 11 {
		t.Fatal(len(all), err)
	}
	told := map[string]bool{}
	for _, s := range stories {
		told[s.action] = told[s.action] || s.output != nil
	}
	for _, a := range all {
		if !told[a.Spec.Name] {
			t.Errorf("%s has no story", a.Spec.Name)
		}
	}
}

func TestStories(t *testing.T) {
	for name, s := range stories {
		t.Run(name, s.play)
	}
}

func (s story) play(t *testing.T) {
	reset := fmt.Sprint(time.Now().Add(10 * time.Minute).Unix())
	n := 0
	server := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if n >= len(s.calls) {
			t.Errorf("one request more: %s %s", r.Method, r.RequestURI)
			return
		}
		n++
		s.calls[n-1].serve(t, w, r, reset)
	}))
	defer server.Close()
	o := http.Options{Files: oneFile}
	with := object{}
	for name, v := range s.with {
		with[name] = v
	}
	if s.bot {
		family, _, _ := strings.Cut(strings.Replace(s.action, "google_sheets", "google", 1), ".")
		o.Credential = connection(family, http.Credential{Token: secret, Hosts: hosts})
	}
	a := named(t, world(t, server.URL, o), s.action)
	if _, takes := a.Spec.Input.Fields["token"]; takes && !s.bot && with["webhook_url"] == nil {
		with["token"] = secret
	}
	r, err := a.Do(t.Context(), actions.Call{Input: with, Key: "run.step", Started: time.Now()})
	if n != len(s.calls) {
		t.Errorf("%d requests of %d", n, len(s.calls))
	}
	s.check(t, a, r, err)
}

func (e exchange) serve(t *testing.T, w nethttp.ResponseWriter, r *nethttp.Request, reset string) {
	body, _ := io.ReadAll(r.Body)
	if got := r.Method + " https://" + r.Host + r.RequestURI; got != e.request {
		t.Errorf("asked %s\nwant  %s", got, e.request)
	}
	for name, want := range e.headers {
		got := r.Header.Get(name)
		if name == "Content-Length" {
			got = fmt.Sprint(r.ContentLength)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !sameBody(body, e.body) {
		t.Errorf("sent %s\nwant %s", body, e.body)
	}
	if strings.HasPrefix(e.reply, "{") {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	for name, v := range e.answers {
		w.Header().Set(name, strings.Replace(v.(string), "RESET", reset, 1))
	}
	w.WriteHeader(max(e.status, 200))
	io.WriteString(w, e.reply)
}

func sameBody(got []byte, want string) bool {
	var a, b any
	if json.Unmarshal(got, &a) != nil || json.Unmarshal([]byte(want), &b) != nil {
		return string(bytes.TrimSpace(got)) == want
	}
	return reflect.DeepEqual(a, b)
}

func (s story) check(t *testing.T, a *actions.Action, r actions.Result, err error) {
	t.Helper()
	if strings.Contains(fmt.Sprint(r.Output, err), "s3cret") {
		t.Errorf("a secret is shown: %v, %v", r.Output, err)
	}
	if s.output != nil {
		if err != nil || !reflect.DeepEqual(r.Output, s.output) {
			t.Errorf("%v, %v; want %v", r.Output, err, s.output)
		}
		for _, problem := range actionstest.Check(a.Spec.Output, r.Output) {
			t.Error(problem)
		}
		return
	}
	var e *actions.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v, %v", r.Output, err)
	}
	wait := time.Duration(0)
	if !e.RetryAt.IsZero() {
		wait = time.Until(e.RetryAt)
	}
	if e.Class != s.class || s.code != "" && e.Code != s.code || !strings.Contains(e.Message, s.says) || (wait-s.wait).Abs() > 5*time.Second {
		t.Errorf("%s %q, wait %v: %s", e.Class, e.Code, wait, e.Message)
	}
}

var every = flag.Bool("every", false, "test the conformance of every action of the family")

// What every action must do, whatever it does. They all run the same code.
func TestConformance(t *testing.T) {
	done := map[string]bool{}
	for _, s := range stories {
		if !*every && s.action != "slack.post_message" || s.output == nil || s.bot || done[s.action] || len(s.calls) > 1 {
			continue
		}
		done[s.action] = true
		sent, _ := s.with["webhook_url"].(string)
		sent = cmp.Or(sent, secret)
		t.Run(s.action, func(t *testing.T) {
			actionstest.Suite{
				New: func(t *testing.T, base string) *actions.Action {
					return named(t, world(t, base, http.Options{Files: oneFile, Credential: connection("", http.Credential{})}), s.action)
				},
				Input: func(string) map[string]any {
					with := object{}
					for name, v := range s.with {
						with[name] = v
					}
					if with["webhook_url"] == nil {
						with["token"] = secret
					}
					return with
				},
				Status: s.calls[0].status, Reply: s.calls[0].reply, Secret: sent, Shaped: s.action != "teams.post_message",
				Examples: func(t *testing.T) *actions.Action {
					server := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
						w.Header().Set("Content-Type", "application/json")
						io.WriteString(w, s.calls[0].reply)
					}))
					t.Cleanup(server.Close)
					any := func(context.Context, string) (http.Credential, error) {
						return http.Credential{Token: secret, Hosts: hosts}, nil
					}
					return named(t, world(t, server.URL, http.Options{Files: oneFile, Credential: any}), s.action)
				},
			}.Run(t)
		})
	}
}
