package zoom_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"zflow/internal/sealed"
	"zflow/proto"
	"zflow/sources"
	"zflow/sources/zoom"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

const (
	secret = "the-secret-token"
	older  = "the-secret-before"
	spare  = 64 << 10
)

// desk is a handler with what it has published, or what it is to fail with.
type desk struct {
	*zoom.Handler
	keys *sealed.Keys
	logs *observer.ObservedLogs

	mu        sync.Mutex
	published []*proto.Event
	failure   error
	room      error
	hold      chan struct{} // a publish waits for it; nil: not
	payload   int64         // the server's limit
}

func newDesk(t testing.TB, change ...func(*zoom.Config)) *desk {
	t.Helper()
	keys, err := sealed.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	d := &desk{keys: keys, logs: logs, payload: 8 << 20}
	c := zoom.Config{
		Apps: []zoom.App{{Name: "main", Secrets: []string{older, secret}}, {Name: "unset"}},
		Key:  keys.Public(), Publish: d.publish, Log: zap.New(core),
		Room:       func(context.Context) error { return d.room },
		MaxPayload: func() int64 { return d.payload },
	}
	for _, f := range change {
		f(&c)
	}
	if d.Handler, err = zoom.NewHandler(c); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) publish(ctx context.Context, e *proto.Event) (sources.Ack, error) {
	if d.hold != nil {
		select {
		case <-d.hold:
		case <-ctx.Done():
			return sources.Ack{}, ctx.Err()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failure != nil {
		return sources.Ack{}, d.failure
	}
	again := slices.ContainsFunc(d.published, func(o *proto.Event) bool { return o.ID == e.ID })
	if !again {
		d.published = append(d.published, e)
	}
	return sources.Ack{Sequence: uint64(len(d.published)), Duplicate: again}, nil
}

// counts returns the counters of an app that are not zero.
func (d *desk) counts(app string) map[zoom.Outcome]int64 {
	found := map[zoom.Outcome]int64{}
	for _, s := range d.Stats() {
		for o, n := range s.Counts {
			if s.App == app && n != 0 {
				found[o] = n
			}
		}
	}
	return found
}

func signed(secret string, at time.Time, body string) *http.Request {
	stamp := strconv.FormatInt(at.Unix(), 10)
	h := hmac.New(sha256.New, []byte(secret))
	io.WriteString(h, "v0:"+stamp+":"+body)
	r := httptest.NewRequest(http.MethodPost, "/hooks/zoom/main", strings.NewReader(body))
	r.Header.Set("x-zm-request-timestamp", stamp)
	r.Header.Set("x-zm-signature", "v0="+hex.EncodeToString(h.Sum(nil)))
	return r
}

func (d *desk) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

const ended = `{"event":"meeting.ended","event_ts":1790002846000,"payload":{"account_id":"acct-1","object":{"id":84512306977,"uuid":"/Jd93//nQk2xR5a0vXbT+w==","topic":"Café ☕"}}}`

// TestInput is the first paragraph of "Bad input": what is answered, what is
// stored, which counter moves.
func TestInput(t *testing.T) {
	now := time.Now()
	post := func(body string) *http.Request { return signed(secret, now, body) }
	path := func(p string) *http.Request {
		r := post(ended)
		r.URL.Path = p
		return r
	}
	for _, c := range []struct {
		name    string
		request *http.Request
		status  int
		stored  string // the event's type and account; empty: nothing
		counted zoom.Outcome
		app     string
	}{
		{"good", post(ended), 204, "meeting.ended acct-1", zoom.Accepted, "main"},
		{"the secret before", signed(older, now, ended), 204, "meeting.ended acct-1", zoom.Accepted, "main"},
		{"bad signature", signed("guessed", now, ended), 401, "", zoom.BadSignature, "main"},
		{"no signature", httptest.NewRequest("POST", "/hooks/zoom/main", strings.NewReader(ended)), 401, "", zoom.BadSignature, "main"},
		{"an app without secrets", path("/hooks/zoom/unset"), 401, "", zoom.BadSignature, "unset"},
		{"just not stale", signed(secret, now.Add(-2*time.Hour+time.Minute), ended), 204, "meeting.ended acct-1", zoom.Accepted, "main"},
		{"stale", signed(secret, now.Add(-2*time.Hour-time.Minute), ended), 401, "", zoom.Stale, "main"},
		{"just not future", signed(secret, now.Add(5*time.Minute-10*time.Second), ended), 204, "meeting.ended acct-1", zoom.Accepted, "main"},
		{"future", signed(secret, now.Add(5*time.Minute+10*time.Second), ended), 401, "", zoom.Future, "main"},
		{"stale URL validation", signed(secret, now.Add(-3*time.Hour), validation("x")), 401, "", zoom.Stale, "main"},
		{"wrong app", path("/hooks/zoom/other"), 404, "", zoom.UnknownApp, ""},
		{"no app", path("/hooks/zoom/"), 404, "", zoom.UnknownApp, ""},
		{"below the app", path("/hooks/zoom/main/x"), 404, "", zoom.UnknownApp, ""},
		{"wrong path", path("/hook/zoom/main"), 404, "", zoom.UnknownApp, ""},
		{"wrong method", httptest.NewRequest("GET", "/hooks/zoom/main", nil), 405, "", zoom.BadMethod, "main"},
		{"oversize", post(padded(1<<20 + 1)), 413, "", zoom.Oversize, "main"},
		{"oversize and unsigned", signed("guessed", now, padded(2<<20)), 413, "", zoom.Oversize, "main"},
		{"not JSON", post("{not json"), 400, "", zoom.Malformed, "main"},
		{"not JSON and unsigned", signed("guessed", now, "{not json"), 401, "", zoom.BadSignature, "main"},
		{"empty", post(""), 400, "", zoom.Malformed, "main"},
		{"not an object", post(`[` + ended + `]`), 400, "", zoom.Malformed, "main"},
		{"no event name", post(`{"payload":{}}`), 400, "", zoom.Malformed, "main"},
		{"validation without token", post(`{"event":"endpoint.url_validation","payload":{}}`), 400, "", zoom.Malformed, "main"},
		{"unknown type", post(`{"event":"brand.new_thing","event_ts":1,"payload":{"account_id":"A"}}`), 204, "brand.new_thing A", zoom.Accepted, "main"},
		{"type to be cleaned", post(`{"event":" meeting.ended. ","event_ts":1,"payload":{"account_id":"A"}}`), 204, "meeting.ended A", zoom.Accepted, "main"},
		{"no event_ts", post(`{"event":"app_deauthorized","payload":{"account_id":"A"}}`), 204, "app_deauthorized A", zoom.Accepted, "main"},
		{"string event_ts", post(`{"event":"workspace.created","event_ts":"1790000000000","payload":{"account_id":"A"}}`), 204, "workspace.created A", zoom.Accepted, "main"},
		{"no object", post(`{"event":"meeting.rtms_started","event_ts":1,"payload":{"meeting_uuid":"x"}}`), 204, "meeting.rtms_started ", zoom.Accepted, "main"},
		{"object a list", post(`{"event":"meeting.ended","event_ts":1,"payload":{"account_id":"A","object":[{"id":1}]}}`), 204, "meeting.ended A", zoom.Accepted, "main"},
		{"accountId", post(`{"event":"bot_notification","event_ts":1,"payload":{"accountId":"B"}}`), 204, "bot_notification B", zoom.Accepted, "main"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			w := d.send(c.request)
			if w.Code != c.status {
				t.Errorf("answered %d, want %d", w.Code, c.status)
			}
			got := ""
			for _, e := range d.published {
				got += e.Type + " " + e.Account
			}
			if got != c.stored {
				t.Errorf("stored %q, want %q", got, c.stored)
			}
			counts := d.counts(c.app)
			if counts[c.counted] != 1 {
				t.Errorf("counted %v, want %s", counts, c.counted)
			}
			delete(counts, zoom.UnknownType)
			if len(counts) != 1 {
				t.Errorf("counted more: %v", counts)
			}
			if n := d.logs.Len(); n != 0 {
				t.Errorf("logged %v", d.logs.All())
			}
		})
	}
}

func padded(size int) string {
	head := `{"event":"meeting.ended","event_ts":1790002846000,"payload":{"account_id":"A","object":{"id":1}},"pad":"`
	return head + strings.Repeat("x", size-len(head)-2) + `"}`
}

func validation(token string) string {
	return fmt.Sprintf(`{"event":"endpoint.url_validation","event_ts":1790000000000,"payload":{"plainToken":%q}}`, token)
}

func TestWhatAnEventCarries(t *testing.T) {
	d := newDesk(t)
	r := signed(secret, time.Now(), ended)
	r.Header.Set("zflow-origin", "simulator")
	r.Header.Set("User-Agent", "zflow sim")
	d.send(r)
	e := d.published[0]
	if e.Source != "zoom/main" || e.Subject != "84512306977" || e.Origin != proto.FromWebhook || e.ContentType != "application/json" ||
		!e.Time.Equal(time.UnixMilli(1790002846000)) || time.Since(e.ReceivedAt) > time.Minute || len(e.ID) != 26 {
		t.Errorf("got %+v", e)
	}
	if string(e.Body) != ended {
		t.Errorf("the body is not as received: %s", e.Body)
	}
	d.send(signed(secret, time.Now(), `{"event":"app_deauthorized","payload":{"account_id":"A"}}`))
	if e := d.published[1]; !e.Time.Equal(e.ReceivedAt) {
		t.Errorf("without event_ts: %v, received %v", e.Time, e.ReceivedAt)
	}
	if n := d.counts("main")[zoom.UnknownType]; n != 0 {
		t.Errorf("%d known types are taken for unknown", n)
	}
	d.send(signed(secret, time.Now(), `{"event":"brand.new_thing"}`))
	if n := d.counts("main")[zoom.UnknownType]; n != 1 {
		t.Errorf("unknown types: %d", n)
	}
}

func TestURLValidationUnderTheSecretThatSigned(t *testing.T) {
	for _, s := range []string{secret, older} {
		d := newDesk(t)
		d.failure = errors.New("NATS is away")
		d.room = sources.ErrNoRoom
		w := d.send(signed(s, time.Now(), validation("tök<en>")))
		h := hmac.New(sha256.New, []byte(s))
		io.WriteString(h, "tök<en>")
		var got map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || len(got) != 2 ||
			got["plainToken"] != "tök<en>" || got["encryptedToken"] != hex.EncodeToString(h.Sum(nil)) || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("signed with %s: %d %s, %v", s, w.Code, w.Body, err)
		}
		for _, stats := range d.Stats() {
			if stats.App == "main" && (stats.Counts[zoom.Validation] != 1 || time.Since(stats.Validated) > time.Minute) {
				t.Errorf("counted %+v", stats)
			}
		}
	}
}

// TestCredentialsBesideTheSignature: an app that was told to send them is refused
// without, but its URL stays validated.
func TestCredentialsBesideTheSignature(t *testing.T) {
	for name, c := range map[string]struct {
		user, password, header string
		want                   int
	}{
		"all":            {"zoom", "pa:ss", "hush", 204},
		"wrong password": {"zoom", "pa:s", "hush", 401},
		"wrong user":     {"zom", "pa:ss", "hush", 401},
		"no user":        {"", "", "hush", 401},
		"wrong header":   {"zoom", "pa:ss", "hus", 401},
		"no header":      {"zoom", "pa:ss", "", 401},
	} {
		d := newDesk(t, func(c *zoom.Config) {
			c.Apps[0].User, c.Apps[0].Password, c.Apps[0].Header, c.Apps[0].Value = "zoom", "pa:ss", "x-zflow", "hush"
		})
		r := signed(secret, time.Now(), ended)
		if c.user != "" {
			r.SetBasicAuth(c.user, c.password)
		}
		if c.header != "" {
			r.Header.Set("X-Zflow", c.header)
		}
		if w := d.send(r); w.Code != c.want || (d.counts("main")[zoom.BadCredential] == 1) != (c.want == 401) {
			t.Errorf("%s: %d, %v", name, w.Code, d.counts("main"))
		}
		if w := d.send(signed(secret, time.Now(), validation("plain"))); w.Code != 200 {
			t.Errorf("%s: URL validation is answered %d", name, w.Code)
		}
	}
}

func TestOurFailuresAre503(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*desk)
		counted zoom.Outcome
	}{
		"publish fails": {func(d *desk) { d.failure = errors.New("no responders") }, zoom.Unavailable},
		"no room":       {func(d *desk) { d.room = fmt.Errorf("asking: %w", sources.ErrNoRoom) }, zoom.NoRoom},
		"room unknown":  {func(d *desk) { d.room = errors.New("no answer") }, zoom.Unavailable},
	} {
		d := newDesk(t)
		c.change(d)
		if w := d.send(signed(secret, time.Now(), ended)); w.Code != 503 {
			t.Errorf("%s: answered %d", name, w.Code)
		}
		if d.counts("main")[c.counted] != 1 || len(d.published) != 0 {
			t.Errorf("%s: counted %v, stored %d", name, d.counts("main"), len(d.published))
		}
		if d.logs.Len() != 1 {
			t.Errorf("%s: logged %d times", name, d.logs.Len())
		}
		d.failure, d.room = nil, nil
		if w := d.send(signed(secret, time.Now(), ended)); w.Code != 204 {
			t.Errorf("%s: afterwards %d", name, w.Code)
		}
	}
}

func TestOverload(t *testing.T) {
	d := newDesk(t, func(c *zoom.Config) { c.Concurrent = 2 })
	d.hold = make(chan struct{})
	codes := make(chan int, 12)
	for i := range 12 {
		go func() {
			codes <- d.send(signed(secret, time.Now(), strings.Replace(ended, "1790002846000", strconv.Itoa(1790002846000+i), 1))).Code
		}()
	}
	for range 10 { // all but the two that hold the slots
		if c := <-codes; c != 503 {
			t.Errorf("answered %d", c)
		}
	}
	if w := d.send(signed(secret, time.Now(), validation("x"))); w.Code != 200 {
		t.Errorf("URL validation under load: %d", w.Code)
	}
	close(d.hold)
	for range 2 {
		if c := <-codes; c != 204 {
			t.Errorf("who held a slot is answered %d", c)
		}
	}
	if got := d.counts("main"); got[zoom.Overload] != 10 || got[zoom.Accepted] != 2 {
		t.Errorf("counted %v", got)
	}
	if w := d.send(signed(secret, time.Now(), ended)); w.Code != 204 {
		t.Errorf("afterwards: %d", w.Code)
	}
}

func TestCredentialsAreSealed(t *testing.T) {
	d := newDesk(t)
	body := ` {"event":"recording.completed", "download_token":"TOKEN-1","event_ts":1790003600000,"payload":{"account_id":"A","object":{"uuid":"u","recording_files":[{"id":"f","download_url":"https://x/1"}]}}}`
	d.failure = errors.New("away")
	d.send(signed(secret, time.Now(), body))
	d.failure = nil
	if w := d.send(signed(secret, time.Now(), body)); w.Code != 204 {
		t.Fatalf("answered %d", w.Code)
	}
	e := d.published[0]
	if bytes.Contains(e.Body, []byte("TOKEN-1")) || !sealed.Contains(string(e.Body)) {
		t.Errorf("readable: %s", e.Body)
	}
	if opened, err := d.keys.OpenText(string(e.Body)); err != nil || opened != body {
		t.Errorf("opened: %s, %v", opened, err)
	}
	for _, l := range d.logs.All() {
		if text := fmt.Sprint(l.Message, l.ContextMap()); strings.Contains(text, "TOKEN") || strings.Contains(text, secret) {
			t.Errorf("logged: %s", text)
		}
	}
	// Another token and another address are the same event.
	again := strings.NewReplacer("TOKEN-1", "TOKEN-2", "https://x/1", "https://y/2").Replace(body)
	if w := d.send(signed(secret, time.Now(), again)); w.Code != 204 || len(d.published) != 1 || d.counts("main")[zoom.Duplicate] != 1 {
		t.Errorf("answered %d, %d stored, counted %v", w.Code, len(d.published), d.counts("main"))
	}
}

func TestBodyLimit(t *testing.T) {
	for _, c := range []struct{ server, limit int64 }{
		{8 << 20, 1 << 20}, {1 << 20, 1<<20 - spare}, {0, 1 << 20}, {256 << 10, 192 << 10},
	} {
		for _, chunked := range []bool{false, true} {
			d := newDesk(t)
			d.payload = c.server
			for _, size := range []int64{c.limit - 1, c.limit, c.limit + 1, c.limit + 100_000} {
				r := signed(secret, time.Now(), padded(int(size)))
				if chunked {
					r.ContentLength = -1
				}
				d.published = nil
				w := d.send(r)
				if size > c.limit {
					if w.Code != 413 || len(d.published) != 0 {
						t.Errorf("%d of %d bytes: answered %d, %d stored", size, c.limit, w.Code, len(d.published))
					}
					continue
				}
				if w.Code != 204 || len(d.published) != 1 || int64(len(d.published[0].Body)) != size {
					t.Errorf("%d of %d bytes: answered %d, %d stored", size, c.limit, w.Code, len(d.published))
				}
			}
		}
	}
}

// TestSealingMayNotOutgrowTheServer: what is taken must fit once it is sealed.
func TestSealingMayNotOutgrowTheServer(t *testing.T) {
	d := newDesk(t)
	d.payload = 1 << 20
	body := `{"event":"recording.completed","download_token":"` + strings.Repeat("t", 900_000) + `"}`
	if w := d.send(signed(secret, time.Now(), body)); w.Code != 413 || len(d.published) != 0 {
		t.Errorf("answered %d, %d stored", w.Code, len(d.published))
	}
}

// countingReader tells how much of a body was read.
type countingReader struct {
	io.Reader
	n int
}

func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += n
	return n, err
}

func TestOversizeIsNotReadToItsEnd(t *testing.T) {
	d := newDesk(t)
	for length, most := range map[int64]int{-1: 1<<20 + 1, 50 << 20: 0} {
		body := &countingReader{Reader: strings.NewReader(strings.Repeat("x", 50<<20))}
		r := httptest.NewRequest("POST", "/hooks/zoom/main", body)
		r.ContentLength = length
		if w := d.send(r); w.Code != 413 || body.n > most {
			t.Errorf("length %d: answered %d after %d bytes", length, w.Code, body.n)
		}
	}
}

func TestTruncatedBody(t *testing.T) {
	d := newDesk(t)
	server := httptest.NewServer(d)
	defer server.Close()
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := signed(secret, time.Now(), ended)
	fmt.Fprintf(c, "POST /hooks/zoom/main HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nx-zm-signature: %s\r\nx-zm-request-timestamp: %s\r\n\r\n%s",
		len(ended), r.Header.Get("x-zm-signature"), r.Header.Get("x-zm-request-timestamp"), ended[:len(ended)-9])
	c.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(c)
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 400 ")) || len(d.published) != 0 || d.counts("main")[zoom.Truncated] != 1 {
		t.Errorf("answered %.40q, %d stored, counted %v", answer, len(d.published), d.counts("main"))
	}
}

func TestWhoSendsTooSlowlyIsAnsweredInTime(t *testing.T) {
	d := newDesk(t, func(c *zoom.Config) { c.Deadline = 50 * time.Millisecond })
	server := httptest.NewServer(d)
	defer server.Close()
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST /hooks/zoom/main HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
	answer := make([]byte, 12)
	if _, err := io.ReadFull(c, answer); err != nil || string(answer) != "HTTP/1.1 503" {
		t.Errorf("answered %q, %v", answer, err)
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	keys, _ := sealed.GenerateKeys()
	publish := func(context.Context, *proto.Event) (sources.Ack, error) { return sources.Ack{}, nil }
	for name, c := range map[string]zoom.Config{
		"no publisher": {Key: keys.Public()},
		"no key":       {Publish: publish},
		"empty secret": {Publish: publish, Key: keys.Public(), Apps: []zoom.App{{Name: "a", Secrets: []string{"x", ""}}}},
		"odd name":     {Publish: publish, Key: keys.Public(), Apps: []zoom.App{{Name: "a/b", Secrets: []string{"x"}}}},
		"no name":      {Publish: publish, Key: keys.Public(), Apps: []zoom.App{{Secrets: []string{"x"}}}},
		"twice":        {Publish: publish, Key: keys.Public(), Apps: []zoom.App{{Name: "a"}, {Name: "a"}}},
	} {
		if _, err := zoom.NewHandler(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// replayed is a body that can be read again.
type replayed struct{ *bytes.Reader }

func (replayed) Close() error { return nil }

func BenchmarkHandler(b *testing.B) {
	for name, body := range map[string]string{"meeting": ended,
		"recording": `{"event":"recording.completed","download_token":"TOKEN-1","event_ts":1790003600000,"payload":{"account_id":"A","object":{"uuid":"u","recording_files":[{"id":"f","download_url":"https://x/1"}]}}}`} {
		b.Run(name, func(b *testing.B) {
			d := newDesk(b, func(c *zoom.Config) {
				c.Publish = func(context.Context, *proto.Event) (sources.Ack, error) { return sources.Ack{}, nil }
			})
			r := signed(secret, time.Now(), body)
			source := replayed{bytes.NewReader([]byte(body))}
			r.Body = source
			w := httptest.NewRecorder()
			b.ReportAllocs()
			for b.Loop() {
				source.Seek(0, io.SeekStart)
				d.ServeHTTP(w, r)
			}
			if w.Code != 204 {
				b.Fatal(w.Code)
			}
		})
	}
}
