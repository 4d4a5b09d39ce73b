package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine"
	"zflow/internal/app"
	"zflow/internal/operator"
	"zflow/internal/operator/send"
	"zflow/internal/zoomcatalog"
	"zflow/proto"
)

// parityRow is one of Pipedream's sources: the trigger that covers it, what Zoom
// sends, and the runs that must come of it.
type parityRow struct {
	source  string   // its key there
	trigger []string // event types
	when    string   // a condition of the trigger more
	what    string   // an expression: what a run tells beside the time
	sends   func(parityKit) []parityEvent
	want    []string // "time what" of each run, time in seconds since the first
}

// parityEvent is one delivery.
type parityEvent struct {
	kind   string
	second int                       // since the first event
	change func(tree map[string]any) // nil: the sample
	again  bool                      // a second delivery of the same: other addresses, tokens, spelling, order
}

// parityKit makes deliveries.
type parityKit struct{}

func (parityKit) event(kind string, second int) parityEvent {
	return parityEvent{kind: kind, second: second}
}

func (parityKit) with(kind string, second int, path string, value any) parityEvent {
	return parityEvent{kind: kind, second: second, change: func(tree map[string]any) { paritySet(tree, strings.Split(path, "."), value) }}
}

func (e parityEvent) redelivered() parityEvent { e.again = true; return e }

// twice is what most sources are tried with: an event, its second delivery, and the
// same thing happening to the same object a minute later.
func twice(kind string) func(parityKit) []parityEvent {
	return func(k parityKit) []parityEvent {
		return []parityEvent{k.event(kind, 0), k.event(kind, 0).redelivered(), k.event(kind, 60)}
	}
}

// both is what must come of twice.
func both(what string) []string { return []string{"0 " + what, "60 " + what} }

// again is a row of an event that happens twice to one object.
func again(source, kind string) parityRow {
	return parityRow{source: source, trigger: []string{kind}, sends: twice(kind), want: both(kind)}
}

func parityRows() []parityRow {
	return slices.Concat(parityUserRows(), parityAdminRows())
}

func parityUserRows() []parityRow {
	return []parityRow{
		{source: "zoom-custom-event", trigger: []string{"meeting.*"}, sends: func(k parityKit) []parityEvent {
			return []parityEvent{k.event("meeting.created", 0), k.event("meeting.updated", 1), k.event("meeting.started", 2), k.event("meeting.started", 2).redelivered(),
				k.event("meeting.participant_joined", 3), k.event("meeting.participant_left", 4), k.event("meeting.participant_joined", 5), k.event("meeting.ended", 6), k.event("meeting.summary_completed", 7)}
		}, want: []string{"0 meeting.created", "1 meeting.updated", "2 meeting.started", "3 meeting.participant_joined", "4 meeting.participant_left",
			"5 meeting.participant_joined", "6 meeting.ended", "7 meeting.summary_completed"}},
		{source: "zoom-phone-event", trigger: []string{"phone.*"}, sends: func(k parityKit) []parityEvent {
			return []parityEvent{k.event("phone.callee_ringing", 0), k.event("phone.callee_ringing", 0).redelivered(), k.event("phone.callee_answered", 2),
				k.event("phone.callee_hold", 3), k.event("phone.callee_hold", 4), k.event("phone.callee_ended", 5), k.event("phone.recording_completed", 9), k.event("phone.recording_completed", 9).redelivered()}
		}, want: []string{"0 phone.callee_ringing", "2 phone.callee_answered", "3 phone.callee_hold", "4 phone.callee_hold", "5 phone.callee_ended", "9 phone.recording_completed"}},
		again("zoom-meeting-created", "meeting.created"),
		parityUpdates("zoom-meeting-updated", "meeting.updated"),
		parityDeleted("zoom-meeting-deleted", "meeting.deleted"),
		parityInstances("zoom-meeting-started", "meeting.started"),
		parityInstances("zoom-meeting-ended", "meeting.ended"),
		parityRecordings("zoom-recording-completed"),
		parityTranscripts("zoom-new-recording-transcript-completed"),
		again("zoom-webinar-created", "webinar.created"),
		parityUpdates("zoom-webinar-updated", "webinar.updated"),
		parityDeleted("zoom-webinar-deleted", "webinar.deleted"),
		parityInstances("zoom-webinar-started", "webinar.started"),
		parityInstances("zoom-webinar-ended", "webinar.ended"),
	}
}

func parityAdminRows() []parityRow {
	return []parityRow{
		again("zoom_admin-account-created", "account.created"),
		again("zoom_admin-account-updated", "account.updated"),
		{source: "zoom_admin-account-settings-updated", trigger: []string{"account.settings_updated"}, sends: func(k parityKit) []parityEvent {
			return []parityEvent{k.event("account.updated", 0), k.event("account.settings_updated", 1), k.event("account.settings_updated", 1).redelivered(), k.event("account.settings_updated", 2)}
		}, want: []string{"1 account.settings_updated", "2 account.settings_updated"}},
		{source: "zoom_admin-custom-events", trigger: []string{"user.*", "zoomroom.alert", "recording.renamed"}, sends: func(k parityKit) []parityEvent {
			return []parityEvent{k.event("user.signed_in", 0), k.event("user.signed_in", 0).redelivered(), k.event("user.presence_status_updated", 1), k.event("user.presence_status_updated", 2),
				k.event("zoomroom.alert", 3), k.event("zoomroom.alert", 3).redelivered(), k.event("recording.renamed", 4), k.event("user.signed_out", 5)}
		}, want: []string{"0 user.signed_in", "1 user.presence_status_updated", "2 user.presence_status_updated", "3 zoomroom.alert", "4 recording.renamed", "5 user.signed_out"}},
		again("zoom_admin-meeting-created", "meeting.created"),
		parityUpdates("zoom_admin-meeting-updated", "meeting.updated"),
		parityDeleted("zoom_admin-meeting-deleted", "meeting.deleted"),
		{source: "zoom_admin-meeting-started", trigger: []string{"meeting.started"}, what: "(event.payload.object?.uuid ?? 'none')", sends: func(k parityKit) []parityEvent {
			bare := parityEvent{kind: "meeting.started", change: func(tree map[string]any) { delete(tree["payload"].(map[string]any), "object") }}
			return []parityEvent{bare, bare.redelivered(), k.with("meeting.started", 5, "payload.object.uuid", "u/1=="), k.with("meeting.started", 9, "payload.object.uuid", "u/1==")}
		}, want: []string{"0 none", "5 u/1==", "9 u/1=="}},
		parityInstances("zoom_admin-meeting-ended", "meeting.ended"),
		parityRecordings("zoom_admin-recording-completed"),
		parityTranscripts("zoom_admin-new-recording-transcript-completed"),
		again("zoom_admin-user-created", "user.created"),
		again("zoom_admin-user-updated", "user.updated"),
		again("zoom_admin-user-activated", "user.activated"),
		{source: "zoom_admin-user-deactivated", trigger: []string{"user.deactivated"}, sends: func(k parityKit) []parityEvent {
			return []parityEvent{k.event("user.deactivated", 0), k.event("user.deactivated", 0).redelivered(), k.event("user.activated", 1), k.event("user.deactivated", 2)}
		}, want: []string{"0 user.deactivated", "2 user.deactivated"}},
		again("zoom_admin-user-deleted", "user.deleted"),
		again("zoom_admin-user-invitation-accepted", "user.invitation_accepted"),
		again("zoom_admin-webinar-created", "webinar.created"),
		parityDeleted("zoom_admin-webinar-deleted", "webinar.deleted"),
		parityInstances("zoom_admin-webinar-started", "webinar.started"),
		parityInstances("zoom_admin-webinar-ended", "webinar.ended"),
		parityUpdates("zoom_admin-webinar-updated", "webinar.updated"),
	}
}

// parityUpdates: two updates with one time_stamp are two, the same one delivered
// twice is one.
func parityUpdates(source, kind string) parityRow {
	return parityRow{source: source, trigger: []string{kind}, what: "event.payload.object.topic", sends: func(k parityKit) []parityEvent {
		first := k.with(kind, 0, "payload.object.topic", "a")
		return []parityEvent{first, first.redelivered(), k.with(kind, 0, "payload.object.topic", "b"), k.with(kind, 9, "payload.object.topic", "a")}
	}, want: []string{"0 a", "0 b", "9 a"}}
}

// parityDeleted: two occurrences of one series have one uuid.
func parityDeleted(source, kind string) parityRow {
	occurrence := func(id string) []any { return []any{map[string]any{"occurrence_id": id}} }
	return parityRow{source: source, trigger: []string{kind}, what: "event.payload.object.occurrences[0].occurrence_id", sends: func(k parityKit) []parityEvent {
		first := k.with(kind, 0, "payload.object.occurrences", occurrence("o1"))
		return []parityEvent{first, first.redelivered(), k.with(kind, 0, "payload.object.occurrences", occurrence("o2"))}
	}, want: []string{"0 o1", "0 o2"}}
}

// parityInstances: a recurring meeting has one id and a uuid an instance; one that
// is ended and joined again ends twice under one uuid.
func parityInstances(source, kind string) parityRow {
	return parityRow{source: source, trigger: []string{kind}, what: "event.payload.object.uuid", sends: func(k parityKit) []parityEvent {
		first := k.with(kind, 0, "payload.object.uuid", "u/1==")
		return []parityEvent{first, first.redelivered(), k.with(kind, 0, "payload.object.uuid", "u//2=="), k.with(kind, 30, "payload.object.uuid", "u/1==")}
	}, want: []string{"0 u/1==", "0 u//2==", "30 u/1=="}}
}

// parityRecordings: a filter by meeting holds whether the id comes as text or as a
// number, files are chosen by their kind, and a second recording of one meeting is
// another.
func parityRecordings(source string) parityRow {
	const kind = "recording.completed"
	files := func(prefix string) []any {
		var all []any
		for i, of := range []string{"MP4", "M4A", "CHAT", "TIMELINE"} {
			all = append(all, map[string]any{"id": fmt.Sprint(prefix, i), "file_type": of, "status": "completed", "download_url": "https://harbor.example/" + prefix + of, "recording_start": "2026-03-02T09:00:30Z"})
		}
		return all
	}
	return parityRow{source: source, trigger: []string{kind}, when: " && string(event.payload.object.id) in ['91000000001']",
		what: "join(map(filter(event.payload.object.recording_files, .status == 'completed' and .file_type in ['MP4', 'M4A']), .id), '+')",
		sends: func(k parityKit) []parityEvent {
			first := k.with(kind, 0, "payload.object.recording_files", files("f"))
			return []parityEvent{first, first.redelivered(), k.with(kind, 0, "payload.object.recording_files", files("g")), k.with(kind, 0, "payload.object.id", 5)}
		}, want: []string{"0 f0+f1", "0 g0+g1"}}
}

func parityTranscripts(source string) parityRow {
	const kind = "recording.transcript_completed"
	files := func(id string) []any {
		return []any{map[string]any{"id": id, "file_type": "TRANSCRIPT", "download_url": "https://harbor.example/" + id}}
	}
	return parityRow{source: source, trigger: []string{kind}, what: "event.payload.object.recording_files[0].id", sends: func(k parityKit) []parityEvent {
		first := k.with(kind, 0, "payload.object.recording_files", files("t1"))
		return []parityEvent{first, first.redelivered(), k.with(kind, 0, "payload.object.recording_files", files("t2"))}
	}, want: []string{"0 t1", "0 t2"}}
}

// parityStart is when the first event of each row happens.
var parityStart = time.UnixMilli(1790000000000)

// For each of Pipedream's sources, one workflow on the real ingest, broker and
// worker gets exactly one run of each thing that happened: none is swallowed, as
// there, none comes twice.
func TestParity(t *testing.T) {
	rows := parityRows()
	dev, sender := parityDev(t, rows)
	want := 0
	for _, row := range rows {
		want += len(row.want)
		for _, e := range row.sends(parityKit{}) {
			body := e.body(t, parityName(row.source))
			if sent, err := sender.Send(t.Context(), e.kind, body); err != nil || !sent.Accepted {
				t.Fatalf("%s: %s: %+v, %v", row.source, e.kind, sent, err)
			}
		}
	}
	parityAwait(t, dev, want)
	for _, row := range rows {
		t.Run(row.source, func(t *testing.T) {
			got := parityOutputs(t, dev.Client().Operator(), parityName(row.source))
			slices.Sort(row.want)
			if !slices.Equal(got, row.want) {
				t.Errorf("its runs are %q, want %q", got, row.want)
			}
		})
	}
}

func parityName(source string) string { return strings.ReplaceAll(source, "_", "-") }

func parityDev(t *testing.T, rows []parityRow) (*app.Dev, *send.Sender) {
	dir, data, secret := t.TempDir(), t.TempDir(), "the-secret-of-the-parity-test"
	for _, row := range rows {
		name := parityName(row.source)
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(row.workflow(name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var said bytes.Buffer
	dev, err := app.StartDev(t.Context(), app.DevConfig{Dir: dir, Data: filepath.Join(data, ".zflow"), IngestListen: "127.0.0.1:0", ZoomSecret: secret, Out: &said})
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	t.Cleanup(dev.Close)
	if n := strings.Count(said.String(), " created (version "); n != len(rows) {
		t.Fatalf("%d of %d workflows are deployed:\n%s", n, len(rows), said.String())
	}
	sender, err := send.New(dev.IngestURL(), "default", secret)
	if err != nil {
		t.Fatal(err)
	}
	return dev, sender
}

// workflow is one that the row's events of the row's account start.
func (row parityRow) workflow(name string) string {
	what := row.what
	if what == "" {
		what = "trigger.type"
	}
	return fmt.Sprintf(`name: %s
on:
  - zoom: [%s]
    if: event.payload.account_id == '%s'%s
steps:
  - id: told
    set: "${{ string((int(event.event_ts) - %d) / 1000) + ' ' + %s }}"
output: { told: "${{ steps.told.output }}" }
`, name, "'"+strings.Join(row.trigger, "', '")+"'", name, row.when, parityStart.UnixMilli(), what)
}

// body makes the bytes of a delivery to an account.
func (e parityEvent) body(t *testing.T, account string) []byte {
	d := json.NewDecoder(bytes.NewReader(zoomcatalog.Sample(e.kind)))
	d.UseNumber()
	var tree map[string]any
	if err := d.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	if e.change != nil {
		e.change(tree)
	}
	tree["event_ts"] = parityStart.Add(time.Duration(e.second) * time.Second).UnixMilli()
	paritySet(tree, []string{"payload", "account_id"}, account)
	if e.again {
		tree["download_token"] = "another token"
		parityRespell(tree)
	}
	body, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	if e.again {
		var spread bytes.Buffer
		if err := json.Indent(&spread, body, "", " "); err != nil {
			t.Fatal(err)
		}
		return spread.Bytes()
	}
	return body
}

func paritySet(tree map[string]any, path []string, value any) {
	for ; len(path) > 1; path = path[1:] {
		tree, _ = tree[path[0]].(map[string]any)
	}
	tree[path[0]] = value
}

// parityRespell changes what differs between two deliveries of one event.
func parityRespell(value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			number, isNumber := inner.(json.Number)
			switch {
			case name == "download_url", name == "play_url", name == "download_token":
				v[name] = fmt.Sprint(inner, "?again")
			case isNumber && strings.HasSuffix(name, "id"):
				v[name] = number.String()
			default:
				parityRespell(inner)
			}
		}
	case []any:
		slices.Reverse(v)
		for _, inner := range v {
			parityRespell(inner)
		}
	}
}

// parityAwait waits until so many runs have ended.
func parityAwait(t *testing.T, dev *app.Dev, n int) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := dev.Client().JS.OrderedConsumer(ctx, proto.Runs, jetstream.OrderedConsumerConfig{HeadersOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	messages, err := c.Messages()
	if err != nil {
		t.Fatal(err)
	}
	defer messages.Stop()
	defer context.AfterFunc(ctx, messages.Stop)()
	for ended := 0; ended < n; {
		m, err := messages.Next()
		if err != nil {
			t.Errorf("%d of %d runs have ended: %v", ended, n, err)
			return
		}
		_, _, state, err := proto.ParseRunSubject(m.Subject())
		if err != nil {
			t.Fatal(err)
		}
		if engine.State(state).Ended() {
			ended++
		}
	}
}

// parityOutputs returns what the runs of a workflow told, sorted.
func parityOutputs(t *testing.T, o *operator.Operator, workflow string) []string {
	runs, err := o.Runs(t.Context(), operator.RunQuery{Workflow: workflow})
	if err != nil {
		t.Fatal(err)
	}
	told := []string{}
	for _, r := range runs {
		d, err := o.Show(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		var out struct{ Told string }
		if err := json.Unmarshal(d.Output, &out); err != nil || out.Told == "" {
			t.Errorf("run %s is %s and tells %s (%v)", r.ID, r.Status, d.Output, d.Run.Error)
		}
		told = append(told, out.Told)
	}
	slices.Sort(told)
	return told
}
