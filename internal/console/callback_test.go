package console

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"zflow/internal/connections"
	"zflow/internal/connections/desk"
	"zflow/internal/connections/forget"
	"zflow/internal/sealed"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomsim"
)

// worker answers about connections as a worker process does, and knows the Zoom that
// is returned.
func (r *rig) worker() (app zoomsim.App, zoom string) {
	r.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	r.Must(err)
	sim := zoomsim.New(zoomsim.Options{Apps: zoomsim.EachKind("secret")})
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- sim.Serve(ctx, l) }()
	r.t.Cleanup(func() {
		stop()
		r.Must(<-served)
	})
	keys, err := sealed.LoadOrCreateKeys(filepath.Join(r.t.TempDir(), "keys"))
	r.Must(err)
	grants, err := connections.LoadOrCreateKeyring(filepath.Join(r.t.TempDir(), "grants"))
	r.Must(err)
	store, err := connections.Open(ctx, r.JS, connections.Options{Keys: grants, Gate: r.Server.Gate(r.t)})
	r.Must(err)
	r.t.Cleanup(store.Close)
	forgetter, err := forget.Open(ctx, r.JS, r.Server.Gate(r.t))
	r.Must(err)
	d, err := desk.Serve(r.NC, desk.Options{Store: store, Forget: forgetter, Keys: keys, Callback: r.url + callbackPath})
	r.Must(err)
	r.t.Cleanup(d.Close)
	for _, a := range sim.Apps() {
		if a.Kind == zoomapi.KindUser {
			return a, "http://" + l.Addr().String()
		}
	}
	r.t.Fatal("the simulator has no app of a user")
	return app, ""
}

// TestTheCallbackMakesAConnection goes the way of a person: from the address that
// the command prints over Zoom's consent page to the console.
func TestTheCallbackMakesAConnection(t *testing.T) {
	r := newRig(t)
	app, zoom := r.worker()
	begun, err := desk.NewClient(r.NC).Begin(context.Background(), desk.Begin{Wanted: connections.Wanted{Name: "lina", Kind: app.Kind, ClientID: app.ClientID,
		Secret: app.ClientSecret, OAuth: zoom, API: zoom + "/v2"}})
	r.Must(err)
	browser := &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	page, err := browser.Get(begun.URL)
	r.Must(err)
	r.Must(page.Body.Close())
	back, err := url.Parse(page.Header.Get("Location"))
	r.Must(err)
	if !strings.HasPrefix(back.String(), r.url+callbackPath+"?") {
		t.Fatalf("the consent page answers %s and leads to %q", page.Status, back)
	}
	q := back.Query()
	wrong := url.Values{"code": {q.Get("code")}, "state": {q.Get("state") + "x"}}
	if a := r.do("GET", callbackPath+"?"+wrong.Encode(), "", ""); a.status != http.StatusBadRequest || !strings.Contains(a.body, "this state is of no authorization") {
		t.Errorf("a wrong state: %d %s", a.status, a.body)
	}
	if all := r.get("/api/v1/connections"); strings.Contains(all.body, `"connected"`) {
		t.Errorf("it is connected by a wrong state: %s", all.body)
	}
	a := r.do("GET", back.String(), "", "")
	if a.status != http.StatusOK || !strings.Contains(a.body, "The connection lina is made") {
		t.Fatalf("%d %s", a.status, a.body)
	}
	all := r.get("/api/v1/connections")
	if all.status != http.StatusOK || !strings.Contains(all.body, `"name":"lina"`) || !strings.Contains(all.body, `"state":"connected"`) ||
		strings.Contains(all.body, "simtoken") || strings.Contains(all.body, app.ClientSecret) {
		t.Errorf("%d %s", all.status, all.body)
	}
	if a := r.do("GET", back.String(), "", ""); a.status == http.StatusOK && !strings.Contains(a.body, "lina") || strings.Contains(a.body, "simtoken") {
		t.Errorf("the same once more: %d %s", a.status, a.body)
	}
}
