package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"zflow/internal/connections"
	"zflow/internal/connections/desk"
	"zflow/internal/connections/eavesdrop"
	"zflow/internal/connections/service"
	"zflow/internal/operator"
	"zflow/internal/settings"
)

// crm is a service: its newest access token is the one that it takes, and a refresh
// token is good once.
type crm struct {
	mu      sync.Mutex
	n       int
	refresh string
	got     []string // credentials that came with calls
}

func (c *crm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path != "/token" {
		c.got = append(c.got, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		if r.Header.Get("Authorization") != "Bearer "+c.access() {
			w.WriteHeader(401)
		}
		fmt.Fprintf(w, `{"id":"7","saw":%q}`, r.Header.Get("Authorization"))
		return
	}
	if r.FormValue("grant_type") == "refresh_token" && r.FormValue("refresh_token") != c.refresh {
		w.WriteHeader(400)
		fmt.Fprintf(w, `{"error":"invalid_grant","error_description":"%s is void"}`, r.FormValue("refresh_token"))
		return
	}
	c.n++
	c.refresh = fmt.Sprintf("r3fresh-token-no-%d", c.n)
	fmt.Fprintf(w, `{"access_token":%q,"refresh_token":%q,"expires_in":3600}`, c.access(), c.refresh)
}

func (c *crm) access() string { return fmt.Sprintf("acc3ss-token-no-%d", c.n) }

// calls tells what the calls came with.
func (c *crm) calls() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.got, " ")
}

const crmFlow = `name: crm
on: [ { http: { respond: when_done } } ]
steps:
  - { id: lead, uses: http.request, connection: crm, with: { url: "BASE/lead" } }
  - { id: own, uses: crm.add, connection: crm, with: { name: ann } }
output: { saw: "${{ steps.lead.output.json.saw }}", id: "${{ steps.own.output.id }}" }
actions:
  crm.add:
    name: crm.add
    summary: Adds.
    effect: write
    connection: nobody
    inputs: { name: { type: string, required: true, doc: "A name." } }
    calls: [ { id: add, method: POST, url: "BASE/add", auth: { bearer: "${{ token }}" }, json: { name: "${{ inputs.name }}" } } ]
    output: { id: { type: string, doc: "Its id.", value: "${{ calls.add.json.id }}" } }
`

// A connection to a service from first to last: consent, calls, its
// end, a run that goes on once it is connected again; and nothing
// of it can be read anywhere.
func TestServiceConnection(t *testing.T) {
	its := &crm{}
	server := httptest.NewServer(its)
	defer server.Close()
	c, _ := devConfig(t)
	c.SimListen, c.Config = "", settings.Default()
	c.Config.HTTPAllow = []string{"127.0.0.0/8"}
	if err := os.WriteFile(filepath.Join(c.Dir, "crm.yaml"), []byte(strings.ReplaceAll(crmFlow, "BASE", server.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDev(t, c)
	ear := eavesdrop.On(t, d.Client().NC)
	host := strings.TrimPrefix(server.URL, "http://")
	w := connections.Wanted{Name: "crm", Kind: connections.KindHTTP, ClientID: "client", Secret: "s3cret-of-the-app", Service: &service.Service{
		Auth: service.OAuth2, Hosts: []string{host}, TestURL: server.URL + "/me",
		OAuth: &service.OAuth{Grant: service.Code, AuthorizeURL: server.URL + "/authorize", TokenURL: server.URL + "/token"}}}
	connectCRM(t, d, w)
	ask := func(status int, want string) {
		t.Helper()
		got, body, _ := request(t, "POST", d.IngestURL()+"/http/crm", "{}")
		if got != status || !strings.Contains(body, want) || strings.Contains(body, "t0ken") || strings.Contains(body, "-token-no-") {
			t.Errorf("%d %s", got, body)
		}
	}
	its.got = nil
	ask(200, `{"id":"7","saw":"Bearer ••••"}`)
	if its.calls() != "acc3ss-token-no-1 acc3ss-token-no-1" {
		t.Error(its.calls())
	}
	its.got = nil
	if _, err := desk.NewClient(d.Client().NC).Revoke(t.Context(), "crm"); err != nil {
		t.Fatal(err)
	}
	ask(500, "the run failed")
	run, why := failedRun(t, d)
	if !strings.Contains(why, "connection crm: it was revoked") || !strings.Contains(why, "zflow connect http crm") || its.calls() != "" {
		t.Errorf("%s, after %s", why, its.calls())
	}
	w.Service = nil // its secret is gone, the rest is known
	connectCRM(t, d, w)
	if _, err := d.Client().Operator().Retry(t.Context(), operator.Retry{Run: run}); err != nil {
		t.Fatal(err)
	}
	ask(200, `"id":"7"`)
	for _, secret := range []string{w.Secret, "acc3ss-token-no-1", "r3fresh-token-no-1", its.access(), its.refresh, "c0de-of-the-consent"} {
		ear.Learn("secret", secret)
	}
	ear.Nothing(t, c.Data)
}

func connectCRM(t *testing.T, d *Dev, w connections.Wanted) {
	t.Helper()
	to := desk.NewClient(d.Client().NC)
	b, err := to.Begin(t.Context(), desk.Begin{Wanted: w, Redirect: "http://127.0.0.1:8765/oauth/callback"})
	if err != nil {
		t.Fatal(err)
	}
	page, err := url.Parse(b.URL)
	if err != nil || page.Query().Get("code_challenge_method") != "S256" {
		t.Fatal(b.URL, err)
	}
	r, err := to.Finish(t.Context(), connections.Answer{State: b.State, Code: "c0de-of-the-consent"})
	if err != nil || r.State != connections.Connected {
		t.Fatal(r, err)
	}
	if raw, _ := json.Marshal(r); strings.Contains(string(raw), "-token-no-") {
		t.Errorf("%s", raw)
	}
}

func failedRun(t *testing.T, d *Dev) (id, why string) {
	t.Helper()
	all, err := d.Client().Operator().Runs(t.Context(), operator.RunQuery{Workflow: "crm", Status: "failed"})
	if err != nil || len(all) != 1 || all[0].Error == nil {
		t.Fatal(all, err)
	}
	return all[0].ID, *all[0].Error
}

// A connection's token goes to servers of mail that are among its hosts, and to no others.
func TestTokensForMail(t *testing.T) {
	c, renewed := connections.Credential{Hosts: []string{"*.googleapis.com", "imap.gmail.com", "mail.example.org:1993"}}, 0
	c.Token = "t"
	c.Renew = func(context.Context) (connections.Credential, error) {
		renewed++
		return connections.Credential{}, nil
	}
	give := tokensFor(func(context.Context, string) (connections.Credential, error) { return c, nil })
	for server, want := range map[string]string{
		"imap.gmail.com:993": "", "mail.example.org:1993": "", "imap.googleapis.com:993": "",
		"mail.example.org:993": "not for mail.example.org: connect it with --host", "imap.gmail.com.evil.example:993": "not for", "googleapis.com:993": "not for",
	} {
		k, err := give(t.Context(), "mail", server)
		if want == "" && (err != nil || k.Text != "t" || !k.Token) || want != "" && (err == nil || !strings.Contains(err.Error(), want) || k.Text != "") {
			t.Errorf("%s: %+v, %v", server, k, err)
		}
	}
	if k, _ := give(t.Context(), "mail", "imap.gmail.com:993"); k.Renew == nil || k.Renew(t.Context()) != nil || renewed != 1 {
		t.Errorf("%+v, renewed %d times", k, renewed)
	}
	c.Token = ""
	if _, err := give(t.Context(), "mail", "imap.gmail.com:993"); err == nil || !strings.Contains(err.Error(), "connection mail has no token") {
		t.Error(err)
	}
}
