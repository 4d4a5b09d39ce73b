package worker

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"zflow/actions"
	"zflow/engine"
	"zflow/internal/sealed"
)

// Credentials are readable in the call alone: not in the event, the input, the
// output, an error or any byte that the broker keeps.
func TestSecretsStaySealed(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [
			{ id: a, uses: test.write, with: { auth: "Bearer ${{ secrets.slack }}", download: "${{ event.payload.object.token }}" } },
			{ id: b, uses: test.write, with: { token: "${{ steps.a.output.token }}" } },
			{ id: c, uses: test.sealed, with: { token: "${{ steps.a.output.token }}" } } ],
			output: "${{ steps.a.output }}" }`)
		r.start()
		r.world.answers(map[string]any{"token": "made-by-the-call"})
		id := r.event(1, map[string]any{"token": r.keys.Public().Seal("from-the-event")})
		run := r.until("flow", id, engine.Completed)
		calls := r.world.ledger()
		if in := calls[0].input; in["auth"] != "Bearer "+secret || in["download"] != "from-the-event" || calls[1].input["token"] != "made-by-the-call" {
			t.Errorf("the calls got %v and %v", in, calls[1].input)
		}
		if in := calls[2].input["token"]; !sealed.Contains(in.(string)) {
			t.Errorf("an action that keeps what it gets got %q", in)
		}
		if out := string(run.End.GetRunCompleted().Output.GetJson()); !sealed.Contains(out) {
			t.Errorf("output %s", out)
		}
		for _, word := range []string{secret, "from-the-event", "made-by-the-call"} {
			if where := find(t, r.server.Dir(), word); where != "" {
				t.Errorf("%s stands readable in %s", word, where)
			}
		}
		if find(t, r.server.Dir(), "Bearer ") == "" {
			t.Error("the search finds nothing at all")
		}
	})
}

// find returns the first file below a folder that holds a word.
func find(t *testing.T, dir, word string) (where string) {
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(os.DirFS(dir), path)
		if bytes.Contains(data, []byte(word)) {
			where = path
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return where
}

func TestLargeValues(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [
			{ id: a, uses: test.write, with: { text: "${{ event.payload.object.text }}" } }, { sleep: 5s },
			{ id: b, uses: test.write, with: { text: "${{ steps.a.output.text }}" } } ], output: "${{ steps.b.output }}" }`)
		h := r.start()
		text := strings.Repeat("0123456789abcdef", 20_000) // 320 kB
		r.world.answering(func(_ context.Context, _ int, c actions.Call) (actions.Result, error) {
			return actions.Result{Output: map[string]any{"text": c.Input["text"].(string) + "!"}}, nil
		})
		id := r.event(1, map[string]any{"text": text})
		r.until("flow", id, engine.Waiting)
		h.stop() // what follows is another worker's, from the history alone
		r.start()
		run := r.until("flow", id, engine.Completed)
		if got := r.world.ledger()[1].input["text"]; got != text+"!" {
			t.Errorf("the second step got %d bytes", len(got.(string)))
		}
		out := run.End.GetRunCompleted().Output
		if out.Blob == "" || len(out.Json) != 0 || out.Size != uint64(len(text)+len(`{"text":"!!"}`)) {
			t.Errorf("the output lies at %q, %d of %d bytes in the history", out.Blob, len(out.Json), out.Size)
		}
		s, err := r.js.Stream(t.Context(), "RUNS")
		r.must(err)
		if size := s.CachedInfo().State.Bytes; size > 10_000 {
			t.Errorf("the history takes %d bytes", size)
		}
	})
}

// A run that sleeps for longer than RUNS keeps anything renews itself, and its
// values with it.
func TestRunThatOutlivesRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("a quarter of an hour of one run says nothing of races")
	}
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.create(4 * time.Minute)
		r.open()
		r.deploy(`{ name: flow, on: [ { zoom: meeting.ended } ], steps: [
			{ id: a, uses: test.write, with: { text: "${{ event.payload.object.text }}" } }, { sleep: 15m },
			{ id: b, uses: test.write, with: { text: "${{ steps.a.output.text }}", n: "${{ event.payload.object.n }}" } } ] }`)
		h := r.start()
		r.world.answering(func(_ context.Context, _ int, c actions.Call) (actions.Result, error) {
			return actions.Result{Output: map[string]any{"text": c.Input["text"]}}, nil
		})
		text := strings.Repeat("0123456789abcdef", 20_000)
		files := h.Stores.Blobs
		file, err := files.PutFile(t.Context(), strings.NewReader("a file"), 10)
		r.must(err)
		id := r.event(1, map[string]any{"text": text, "n": 5, "doc": map[string]any{"file": file.ID, "size": file.Size, "sha256": file.SHA256}})
		started := r.until("flow", id, engine.Waiting).Started
		time.Sleep(10 * time.Minute)
		first, err := r.load("flow", id)
		r.must(err)
		if first.Appends[0].Number == 1 || first.Appends[0].Facts[0].GetRunContinued() == nil {
			t.Fatalf("after 10 minutes the history still begins with append %d", first.Appends[0].Number)
		}
		r.until("flow", id, engine.Completed)
		calls := r.world.ledger()
		if len(calls) != 2 || calls[1].input["text"] != text || calls[1].input["n"] != int64(5) {
			t.Fatalf("%d calls", len(calls))
		}
		there, err := files.OpenFile(t.Context(), file)
		r.must(err)
		if bytes, err := io.ReadAll(there); string(bytes) != "a file" || err != nil {
			t.Errorf("the event's file is %q, %v", bytes, err)
		}
		if late := calls[1].at.Sub(started.Add(15 * time.Minute)); late < 0 || late > time.Second {
			t.Errorf("the sleep was %v late", late)
		}
		if n := count("runs_continued", h); n < 6 || n > 9 {
			t.Errorf("%d generations in 15 minutes, not one every 2", n)
		}
		r.drained()
	})
}
