package console

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"zflow/engine"
	"zflow/internal/operator"
	"zflow/internal/tokens"
)

func TestNothingIsAnsweredWithoutAToken(t *testing.T) {
	r := newRig(t)
	for _, to := range append(routes(), route{method: "GET", path: "/api/v1/nothing"}, route{method: "GET", path: "/"}) {
		for token, challenge := range map[string]string{"": `Bearer realm="zflow"`, "wrong": `Bearer realm="zflow", error="invalid_token"`} {
			r.console.api.guard.failures.counts = nil
			a := r.do(to.method, to.path, token, "")
			if a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") != challenge || a.error(t) == "" {
				t.Errorf("%s %s with %q: %d %v %s", to.method, to.path, token, a.status, a.header, a.body)
			}
		}
	}
	if a := r.do("GET", "/api/v1/events?access_token="+master, "", ""); a.status != http.StatusUnauthorized {
		t.Errorf("a token in the address: %d", a.status)
	}
	if a := r.do("GET", "/api/v1/events", "", "", "Cookie", "token="+master, "Authorization", "Basic "+master); a.status != http.StatusUnauthorized {
		t.Errorf("a token elsewhere: %d", a.status)
	}
}

// TestEachRouteNeedsItsScope asks each with a token that has every scope but the
// route's.
func TestEachRouteNeedsItsScope(t *testing.T) {
	r := newRig(t)
	for n, to := range routes() {
		var others []string
		for _, s := range tokens.Scopes() {
			token := tokens.Token{Scopes: []string{s}}
			if !token.May(to.scope) {
				others = append(others, s)
			}
		}
		a := r.do(to.method, to.path, r.token(fmt.Sprintf("without-%d", n), 0, others...), "")
		if a.status != http.StatusForbidden || !strings.Contains(a.error(t), "lacks the scope "+to.scope) {
			t.Errorf("%s %s: %d %s", to.method, to.path, a.status, a.body)
		}
		if to.streams {
			continue
		}
		a = r.do(to.method, to.path, r.token(fmt.Sprintf("with-%d", n), 0, to.scope), "{}")
		if a.status == http.StatusForbidden || a.status == http.StatusUnauthorized {
			t.Errorf("%s %s with its scope: %d %s", to.method, to.path, a.status, a.body)
		}
	}
}

// TestThePageHasEachRouteWithItsScope reads the table of docs/api.md.
func TestThePageHasEachRouteWithItsScope(t *testing.T) {
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(GET|POST) (/api/v1[^`]*)`(?:, `([^`]*)`)? \\| `([a-z:]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		path := strings.Replace(row[2], "{id or seq}", "{id}", 1)
		documented[row[1]+" "+path] = row[4]
		if row[3] != "" {
			documented[row[1]+" "+path+row[3]] = row[4]
		}
	}
	for _, to := range routes() {
		name := to.method + " " + to.path
		if documented[name] != to.scope {
			t.Errorf("%s needs %s, the page says %q", name, to.scope, documented[name])
		}
		delete(documented, name)
	}
	if len(documented) > 0 {
		t.Errorf("the page has what is not there: %v", documented)
	}
}

func TestExpiredAndRevokedTokensAreRefused(t *testing.T) {
	r := newRig(t)
	if a := r.do("GET", "/api/v1/runs", r.token("brief", time.Nanosecond, tokens.Admin), ""); a.status != 401 || !strings.Contains(a.error(t), "has expired") {
		t.Errorf("expired: %d %s", a.status, a.body)
	}
	text := r.token("one", 0, tokens.Admin)
	if a := r.do("GET", "/api/v1/runs", text, ""); a.status != 200 {
		t.Errorf("valid: %d %s", a.status, a.body)
	}
	r.Must(r.store.Revoke(context.Background(), "one"))
	if a := r.do("GET", "/api/v1/runs", text, ""); a.status != 401 {
		t.Errorf("revoked: %d %s", a.status, a.body)
	}
}

func TestFailedAttemptsAreLimitedAndCounted(t *testing.T) {
	r := newRig(t)
	often := 0
	for range 2*mostFailures + 2 { // a minute may begin in between
		if a := r.do("GET", "/api/v1/runs", "wrong", ""); a.status == http.StatusTooManyRequests {
			often++
			if a.header.Get("Retry-After") == "" {
				t.Errorf("no Retry-After in %v", a.header)
			}
		}
	}
	if often == 0 || r.metric(`zflow_console_refused_total{why="often"}`) != fmt.Sprint(often) || r.metric(`zflow_console_refused_total{why="wrong"}`) == "" {
		t.Errorf("%d were refused as too many", often)
	}
	if a := r.get("/api/v1/runs"); a.status != 200 {
		t.Errorf("the right token from the same address: %d", a.status)
	}
}

func TestFailuresOfManyAddresses(t *testing.T) {
	var f failures
	now := time.Unix(60, 0)
	for n := range mostAddresses {
		f.add(fmt.Sprint(n), now)
	}
	refused := 0
	for n := range mostFailures + 1 {
		if !f.add(fmt.Sprint("other", n), now) {
			refused++
		}
	}
	if refused != 1 || len(f.counts) != mostAddresses+1 {
		t.Errorf("%d refused, %d addresses", refused, len(f.counts))
	}
	if !f.add("other", now.Add(time.Minute)) || len(f.counts) != 1 {
		t.Error("a minute later it is the same")
	}
}

func TestMethodsAndAddresses(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		method, address, allow string
		status                 int
	}{
		{"POST", "/api/v1/events", "GET", 405}, {"DELETE", "/api/v1/runs/x", "GET", 405}, {"GET", "/api/v1/runs/x/cancel", "POST", 405},
		{"HEAD", "/api/v1/events/stream", "GET", 405}, {"OPTIONS", "/api/v1/events", "GET", 405},
		{"GET", "/api/v1/nothing", "", 404}, {"GET", "/", "", 404}, {"GET", "/api/v1/runs/x/stop", "", 404}, {"HEAD", "/api/v1/events", "", 200},
	} {
		a := r.do(c.method, c.address, master, "")
		if a.status != c.status || a.header.Get("Allow") != c.allow || c.method != "HEAD" && a.error(t) == "" {
			t.Errorf("%s %s: %d %v %s", c.method, c.address, a.status, a.header, a.body)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "X-Frame-Options": "DENY", "Access-Control-Allow-Origin": ""} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s %s: %s is %q", c.method, c.address, name, got)
			}
		}
	}
}

func TestEventsAreListedPageByPage(t *testing.T) {
	r := newRig(t)
	for n := range 7 {
		r.Event([]string{"meeting.ended", "user.created"}[n%2], n, `{"n":1}`)
	}
	var got []uint64
	address := "/api/v1/events?type=meeting.*&limit=3&since=1h"
	for next := ""; ; {
		var page eventPage
		a := r.get(address + next)
		a.json(t, &page)
		for _, e := range page.Events {
			got = append(got, e.Sequence)
		}
		if page.Next == nil {
			break
		}
		next = fmt.Sprintf("&before=%d", *page.Next)
	}
	if fmt.Sprint(got) != "[7 5 3 1]" {
		t.Errorf("got %v", got)
	}
	var e operator.EventDetail
	r.get("/api/v1/events/3").json(t, &e)
	if e.Sequence != 3 || string(e.Body) != `{"n":1}` {
		t.Errorf("shown as %+v", e)
	}
}

func TestRunsAreListedPageByPage(t *testing.T) {
	r := newRig(t)
	version := r.Deploy("name: hello\non: [ { zoom: meeting.ended } ]\nsteps:\n  - { id: say, uses: log, with: { message: hi } }\n")
	want := map[string]bool{}
	for n := range 5 {
		want[r.Run("hello", version, fmt.Sprint("e", n), engine.Completed)] = true
	}
	r.Run("other", "v1", "e", engine.Completed)
	for next, pages := "", 0; ; pages++ {
		var page runPage
		r.get("/api/v1/runs?workflow=hello&status=completed&limit=2"+next).json(t, &page)
		for _, run := range page.Runs {
			if !want[run.ID] {
				t.Errorf("%s is listed twice, or not of hello", run.ID)
			}
			delete(want, run.ID)
		}
		if page.Next == nil || pages > 5 {
			break
		}
		next = "&before=" + *page.Next
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
	var all struct{ Workflows []operator.Workflow }
	r.get("/api/v1/workflows").json(t, &all)
	var one operator.WorkflowDetail
	r.get("/api/v1/workflows/hello").json(t, &one)
	if len(all.Workflows) != 1 || one.Name != "hello" || !strings.Contains(one.Source, "uses: log") || len(one.Runs) != 5 {
		t.Errorf("%+v %+v", all, one)
	}
}

func TestWrongInputs(t *testing.T) {
	r := newRig(t)
	id := r.Run("hello", "v1", "e", engine.Completed)
	run := "/api/v1/runs/" + id
	for _, c := range []struct {
		method, address, body, want string
		status                      int
	}{
		{"GET", "/api/v1/events?type=a..b", "", "is not like meeting.ended", 400},
		{"GET", "/api/v1/events?limit=0", "", "no number from 1 to 1000", 400},
		{"GET", "/api/v1/events?limit=1001", "", "no number from 1 to 1000", 400},
		{"GET", "/api/v1/events?since=yesterday", "", "neither a time", 400},
		{"GET", "/api/v1/events?since=-1h", "", "neither a time", 400},
		{"GET", "/api/v1/events?before=x", "", "no sequence", 400},
		{"GET", "/api/v1/events?page=2", "", "no parameter", 400},
		{"GET", "/api/v1/workflows?page=2", "", "there are none here", 400},
		{"POST", run + "/cancel?now=true", "{}", "there are none here", 400},
		{"GET", "/api/v1/events/999", "", "there is none", 404},
		{"GET", "/api/v1/events/nosuch", "", "there is none", 404},
		{"GET", "/api/v1/runs?status=done", "", "a run is never", 400},
		{"GET", "/api/v1/runs?before=xyz", "", "not the next of a page", 400},
		{"GET", "/api/v1/runs/nosuch", "", "there is none with this id", 404},
		{"GET", "/api/v1/runs/*", "", "there is none with this id", 404},
		{"GET", "/api/v1/workflows/nosuch", "", "no such workflow", 404},
		{"GET", "/api/v1/workflows/a.b", "", "no name of a workflow", 400},
		{"POST", run + "/cancel", "{}", "has ended already", 409},
		{"POST", run + "/signal", `{"name":"go"}`, "has ended already", 409},
		{"POST", run + "/signal", `{"name":""}`, "no name for a signal", 400},
		{"POST", run + "/approve", `{"step":"a","choice":"yes"}`, "has ended", 409},
		{"POST", run + "/retry", `{}`, "neither failed nor been canceled", 409},
		{"POST", run + "/retry", `{"latest":true,"version":"v"}`, "leave one out", 400},
		{"POST", "/api/v1/runs/nosuch/cancel", "{}", "there is none with this id", 404},
		{"POST", run + "/cancel", "{", "not what it should be", 400},
		{"POST", run + "/cancel", "{} {}", "something follows", 400},
		{"POST", run + "/cancel", "[]", "not what it should be", 400},
		{"POST", run + "/cancel", `{"force":true}`, "unknown field", 400},
		{"POST", run + "/signal", `{"name":"a","data":"` + strings.Repeat("x", maxBody) + `"}`, "has more than", 413},
	} {
		a := r.do(c.method, c.address, master, c.body)
		if a.status != c.status || !strings.Contains(a.error(t), c.want) {
			t.Errorf("%s %s %.60s: %d %.300s", c.method, c.address, c.body, a.status, a.body)
		}
	}
	if a := r.do("POST", run+"/cancel", master, "{}", "Content-Type", "text/plain"); a.status != http.StatusUnsupportedMediaType {
		t.Errorf("a form's body: %d", a.status)
	}
}

// TestAnOrderThatNobodyTakesIsAccepted orders where no worker runs; what a worker
// makes of orders is tested with the commands of package operator.
func TestAnOrderThatNobodyTakesIsAccepted(t *testing.T) {
	r := newRig(t)
	r.Operator.Patience = time.Second
	id := r.Run("hello", "v1", "e", engine.Running)
	a := r.do("POST", "/api/v1/runs/"+id+"/cancel", master, `{"reason":"enough"}`)
	if a.status != http.StatusAccepted || !strings.Contains(a.error(t), "no worker has taken it") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestWithoutTheServerRequestsAreToBeTriedAgain(t *testing.T) {
	r := newRig(t)
	r.Server.Down()
	for _, address := range []string{"/api/v1/events", "/api/v1/runs", "/api/v1/workflows", eventStream} {
		if a := r.get(address); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" || !strings.Contains(a.error(t), "NATS") {
			t.Errorf("%s: %d %s", address, a.status, a.body)
		}
	}
	if a := r.get("http://" + r.console.MetricsAddr() + "/readyz"); a.status != 503 {
		t.Errorf("readyz: %d", a.status)
	}
	if a := r.get("http://" + r.console.MetricsAddr() + "/healthz"); a.status != 200 {
		t.Errorf("healthz: %d", a.status)
	}
	r.Server.Up(t)
	r.until("it answers again", func() bool { return r.get("/api/v1/events").status == 200 })
}

func TestItListensBeyondLoopbackWithATokenOnly(t *testing.T) {
	r := newRig(t)
	begin := func(listen string, fixed ...string) error {
		c, err := New(context.Background(), Config{Listen: listen, Tokens: fixed, Open: r.open, Log: zap.NewNop()})
		if err == nil {
			c.close()
		}
		return err
	}
	const all = "0.0.0.0:0"
	if err := begin(all); err == nil || !strings.Contains(err.Error(), "no token exists") {
		t.Errorf("without a token: %v", err)
	}
	r.token("brief", time.Nanosecond, tokens.Admin)
	if err := begin(all); err == nil {
		t.Error("an expired token is one")
	}
	if err := begin(all, "fixed"); err != nil {
		t.Errorf("with one of the configuration: %v", err)
	}
	r.token("one", 0, tokens.EventsRead)
	if err := begin(all); err != nil {
		t.Errorf("with a token: %v", err)
	}
	for listen, want := range map[string]bool{"127.0.0.1:1": true, "[::1]:1": true, "localhost:1": true, ":1": false, "0.0.0.0:1": false, "192.0.2.1:1": false, "x": false} {
		if got := loopback(listen); got != want {
			t.Errorf("%s is loopback: %v", listen, got)
		}
	}
}

func TestTheCallbackNeedsAStateAndAWorker(t *testing.T) {
	r := newRig(t)
	for address, want := range map[string]int{"": 400, "?state=x": 400, "?code=x": 400, "?state=x&code=y": 503} {
		a := r.do("GET", callbackPath+address, "", "")
		if a.status != want || !strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") || a.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %d %s", address, a.status, a.body)
		}
	}
	if a := r.get("/api/v1/connections"); a.status != http.StatusServiceUnavailable || !strings.Contains(a.error(t), "no worker answers") {
		t.Errorf("connections without a worker: %d %s", a.status, a.body)
	}
}
