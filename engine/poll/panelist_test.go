package poll_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"zflow/actions"
	"zflow/actions/zoom"
	"zflow/engine"
	"zflow/engine/definition"
	"zflow/engine/worker/attempt"
	"zflow/internal/sealed"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomsim"
)

// The example follows the panelists of a webinar at the simulator: each who comes,
// goes or changes is one event, a change back too; nobody's link stands readable.
func TestPanelistsOfAWebinar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, byName)
		sim, api := simulated(t)
		id := webinar(t, api)
		b.watch(t, api, id)
		set := func(all ...zoomsim.Panelist) {
			t.Helper()
			_, err := sim.SetPanelists(id, all)
			b.must(err)
			b.tick()
		}
		ann, bob := zoomsim.Panelist{Name: "Ann", Email: "ann@x.example"}, zoomsim.Panelist{Name: "Bob", Email: "bob@x.example"}
		anna := zoomsim.Panelist{Name: "Anna", Email: ann.Email}
		set(ann)
		b.want()
		set(ann, bob)
		set(anna, bob)
		set(ann, bob)
		set(anna, bob)
		set(anna)
		set(anna, bob)
		b.tick()
		var got []string
		for _, e := range b.bodies() {
			got = append(got, fmt.Sprintf("%s %v>%v", e.Change, e.Before["name"], e.Item["name"]))
		}
		want := []string{"added <nil>>Bob", "changed Ann>Anna", "changed Anna>Ann", "changed Ann>Anna", "removed Bob><nil>", "added <nil>>Bob"}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the events are %v, not %v", got, want)
		}
		for _, e := range b.stored() {
			if strings.Contains(string(e.Body), "tk=") {
				t.Errorf("a link stands in %s", e.Body)
			}
		}
		if s := b.status(); s.Problem != nil || s.Known != 2 {
			t.Errorf("%+v", s)
		}
		sim.Inject(zoomsim.Fault{Status: http.StatusUnauthorized, Code: 124, Message: "Invalid access token.", Times: 10})
		b.tick()
		if p := b.status().Problem; p == nil || !strings.Contains(p.Message, "status 401") {
			t.Errorf("refused: %+v", p)
		}
	})
}

// simulated is a Zoom in the bubble.
func simulated(t *testing.T) (*zoomsim.Sim, *zoomapi.Client) {
	t.Helper()
	sim, pipe := zoomsim.New(zoomsim.Options{}), zoomsim.NewPipe()
	server := &http.Server{Handler: sim}
	go func() { _ = server.Serve(pipe) }()
	token := func(context.Context) (zoomapi.Token, error) {
		return zoomapi.Token{Access: sim.NewToken(), Connection: "zoom", Account: sim.Apps()[0].AccountID, Kind: zoomapi.KindServer, Base: "http://zoom.example/v2"}, nil
	}
	transport := pipe.Transport()
	api := zoomapi.New(zoomapi.Options{Transport: transport,
		Token: func(ctx context.Context, _, _ string) (zoomapi.Token, error) { return token(ctx) },
		Renew: func(ctx context.Context, _ zoomapi.Token) (zoomapi.Token, error) { return token(ctx) }})
	t.Cleanup(func() {
		api.Close()
		transport.CloseIdleConnections()
		_ = server.Close()
		_ = sim.Close(context.Background())
	})
	return sim, api
}

func webinar(t *testing.T, api *zoomapi.Client) int64 {
	t.Helper()
	r, err := api.Do(context.Background(), zoomapi.Request{Method: http.MethodPost, Path: "/users/me/webinars", Body: map[string]any{"topic": "Glazing"}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := actions.DecodeJSON(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	object, _ := v.(map[string]any)
	id, ok := object["id"].(int64)
	if !ok {
		t.Fatalf("the webinar is %s", r.Body)
	}
	return id
}

// watch makes the bench poll as the example does, with the real action.
func (b *bench) watch(t *testing.T, api *zoomapi.Client, id int64) {
	t.Helper()
	src, err := os.ReadFile("../../examples/workflows/webinar-panelists.yaml")
	b.must(err)
	registry, err := actions.NewRegistry(zoom.Actions(api)...)
	b.must(err)
	def, problems := definition.Parse("webinar-panelists.yaml", []byte(strings.Replace(string(src), "91000000042", fmt.Sprint(id), 1)), definition.Known{Actions: registry})
	if def == nil {
		t.Fatal(problems)
	}
	b.def = def
	keys, err := sealed.GenerateKeys()
	b.must(err)
	caller := &attempt.Caller{Actions: registry, Keys: keys, Log: zap.NewNop()}
	b.poller.Call = func(ctx context.Context, a *engine.Attempt) *engine.Outcome {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		return caller.Do(ctx, attempt.Of{}, a)
	}
}
