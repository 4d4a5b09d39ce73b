package zoomsim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"zflow/internal/zoomsim/rest"
)

func hexMAC(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func respond(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewBufferString(body))}
}

func happen(t *testing.T, s *Sim, e Event) {
	t.Helper()
	if _, err := s.Happen(e); err != nil {
		t.Fatal(err)
	}
}

func always(status int) func(int, *http.Request) int {
	return func(int, *http.Request) int { return status }
}

// offsets returns when deliveries arrived, from the first one on.
func offsets(all []delivered) []time.Duration {
	var from []time.Duration
	for _, d := range all {
		from = append(from, d.at.Sub(all[0].at))
	}
	return from
}

func TestRetryLadder(t *testing.T) {
	full := []time.Duration{0, 5 * time.Minute, 25 * time.Minute, 85 * time.Minute}
	for name, c := range map[string]struct {
		answer func(int, *http.Request) int
		want   []time.Duration
	}{
		"200 is done":                    {always(200), full[:1]},
		"204 is done":                    {always(204), full[:1]},
		"500 is tried four times":        {always(500), full},
		"503 is tried four times":        {always(503), full},
		"no answer is tried four times":  {always(0), full},
		"301 is never tried again":       {always(301), full[:1]},
		"302 is never followed":          {always(302), full[:1]},
		"400 is never tried again":       {always(400), full[:1]},
		"401 is never tried again":       {always(401), full[:1]},
		"404 is never tried again":       {always(404), full[:1]},
		"429 is never tried again":       {always(429), full[:1]},
		"the second try is taken":        {func(n int, _ *http.Request) int { return []int{503, 202}[n-1] }, full[:2]},
		"a 404 ends the ladder":          {func(n int, _ *http.Request) int { return []int{503, 500, 404}[n-1] }, full[:3]},
		"a try that hangs, then a taker": {func(n int, _ *http.Request) int { return []int{0, 204}[n-1] }, full[:2]},
	} {
		t.Run(name, func(t *testing.T) {
			e := &endpoint{answer: c.answer}
			withEndpoint(t, Options{}, e, func(s *Sim) {
				happen(t, s, Event{Type: "meeting.ended"})
				time.Sleep(3 * time.Hour)
				got := offsets(e.deliveries())
				if len(got) != len(c.want) {
					t.Fatalf("tried at %v", got)
				}
				for i := range got {
					if got[i] != c.want[i] {
						t.Errorf("tried at %v", got)
					}
				}
			})
		})
	}
}

func TestAnAnswerAfterThreeSecondsIsTooLate(t *testing.T) {
	e := &endpoint{answer: func(n int, r *http.Request) int {
		if n > 1 {
			return 204
		}
		select {
		case <-time.After(3*time.Second + time.Millisecond):
			return 204
		case <-r.Context().Done():
			return 0
		}
	}}
	withEndpoint(t, Options{}, e, func(s *Sim) {
		happen(t, s, Event{Type: "meeting.ended"})
		time.Sleep(time.Hour)
		if n := len(e.deliveries()); n != 2 {
			t.Errorf("%d deliveries", n)
		}
		first := s.Ledger(Filter{Kind: KindDelivery})[0]
		if first.Status != 0 || first.Note != "no answer within 3 seconds" || first.Took != 3*time.Second {
			t.Errorf("%+v", first)
		}
	})
}

func TestDeliveriesAreSignedAnewAndCarryTheSameBody(t *testing.T) {
	for name, keep := range map[string]bool{"new timestamp": false, "first timestamp": true} {
		t.Run(name, func(t *testing.T) {
			e := &endpoint{answer: always(500)}
			withEndpoint(t, Options{KeepTimestamp: keep}, e, func(s *Sim) {
				happen(t, s, Event{Type: "meeting.ended", Object: map[string]any{"topic": "Töpfern <&> ☕"}})
				time.Sleep(2 * time.Hour)
				all := e.deliveries()
				for i, d := range all {
					stamp := d.header.Get("X-Zm-Request-Timestamp")
					if d.header.Get("X-Zm-Signature") != "v0="+hexMAC(testSecret, "v0:"+stamp+":"+d.body) {
						t.Errorf("delivery %d is not signed", i)
					}
					if same := stamp == strconv.FormatInt(all[0].at.Unix(), 10); i > 0 && same != keep {
						t.Errorf("delivery %d has the timestamp %s", i, stamp)
					}
					if d.body != all[0].body || !strings.Contains(d.body, "Töpfern <&> ☕") {
						t.Errorf("delivery %d: %s", i, d.body)
					}
					if i > 0 && d.header.Get("X-Zm-Trackingid") == all[0].header.Get("X-Zm-Trackingid") {
						t.Error("two deliveries share a tracking id")
					}
				}
			})
		})
	}
}

func TestSignAgreesWithTheKnownVector(t *testing.T) {
	body := `{"event":"meeting.started","event_ts":1772445600000,"payload":{"object":{"topic":"Café ☕"}}}`
	want := "v0=99d124752ceb033bbd01aedaf1d2003c18e63c4f278a0eaa4335294dc0017001" // by openssl dgst -sha256 -hmac key
	if got := Sign("key", 1772445601, []byte(body)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestCopiesDifferInURLsAndTokensOnly(t *testing.T) {
	e := &endpoint{}
	withEndpoint(t, Options{}, e, func(s *Sim) {
		happen(t, s, Event{Type: "recording.completed", Copies: 3})
		synctest.Wait()
		bodies := map[string]bool{}
		var first map[string]any
		for _, d := range e.deliveries() {
			bodies[d.body] = true
			v, _ := rest.DecodeObject([]byte(d.body))
			if first == nil {
				first = v
			}
			if rest.Text(v["event_ts"]) != rest.Text(first["event_ts"]) || !strings.Contains(d.body, `"share_url"`) {
				t.Errorf("%s", d.body)
			}
		}
		if len(bodies) != 3 {
			t.Errorf("%d different bodies", len(bodies))
		}
	})
}

func TestSubscribingAWrongURLFails(t *testing.T) {
	for name, transport := range map[string]http.RoundTripper{
		"wrong token":   &endpoint{secret: "another"},
		"not JSON":      roundTrip(func() (*http.Response, error) { return respond(200, "ok"), nil }),
		"status 204":    roundTrip(func() (*http.Response, error) { return respond(204, ""), nil }),
		"other token":   roundTrip(func() (*http.Response, error) { return respond(200, `{"plainToken":"x"}`), nil }),
		"no connection": roundTrip(func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }),
	} {
		s := New(Options{Client: transport, Apps: []App{{SecretToken: testSecret}}})
		if _, err := s.Subscribe(t.Context(), Subscription{URL: "https://flow.test/"}); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if n := len(s.Subscriptions()); n != 0 {
			t.Errorf("%s: %d subscriptions", name, n)
		}
		if v := s.Ledger(Filter{Kind: KindValidation}); len(v) != 1 || v[0].Note == "" {
			t.Errorf("%s: ledger %+v", name, v)
		}
	}
}

type roundTrip func() (*http.Response, error)

func (f roundTrip) RoundTrip(*http.Request) (*http.Response, error) { return f() }

func TestAURLIsValidatedEvery72HoursAndDisabledAfterSixFailures(t *testing.T) {
	e := &endpoint{}
	withEndpoint(t, Options{}, e, func(s *Sim) {
		time.Sleep(72*time.Hour + time.Second)
		if v := s.Ledger(Filter{Kind: KindValidation}); len(v) != 2 || v[1].Time.Sub(v[0].Time) != 72*time.Hour {
			t.Fatalf("validations: %+v", v)
		}
		e.setBroken(true)
		time.Sleep(5 * 72 * time.Hour)
		if sub := s.Subscriptions()[0]; sub.Failures != 5 || sub.Disabled {
			t.Fatalf("after five failures: %+v", sub)
		}
		happen(t, s, Event{Type: "meeting.ended"})
		synctest.Wait()
		if n := len(e.deliveries()); n != 1 {
			t.Fatalf("%d deliveries while enabled", n)
		}
		time.Sleep(72 * time.Hour)
		if sub := s.Subscriptions()[0]; !sub.Disabled {
			t.Fatalf("after six failures: %+v", sub)
		}
		happen(t, s, Event{Type: "meeting.ended"})
		time.Sleep(30 * 24 * time.Hour)
		if n := len(e.deliveries()); n != 1 {
			t.Errorf("%d deliveries, though disabled", n)
		}
	})
}

func TestASuccessForgetsEarlierFailures(t *testing.T) {
	e := &endpoint{}
	withEndpoint(t, Options{}, e, func(s *Sim) {
		time.Sleep(time.Hour) // so that no validation is due just when e changes
		for range 3 {
			e.setBroken(true)
			time.Sleep(5 * 72 * time.Hour)
			e.setBroken(false)
			time.Sleep(72 * time.Hour)
		}
		if sub := s.Subscriptions()[0]; sub.Failures != 0 || sub.Disabled {
			t.Errorf("%+v", sub)
		}
	})
}

func TestOnlyWhatWasSubscribedIsDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{secret: testSecret}
		s := New(Options{Client: e, Apps: []App{{SecretToken: testSecret}, {AccountID: "elsewhere"}}})
		sub, err := s.Subscribe(t.Context(), Subscription{URL: "https://flow.test/", Events: []string{"recording.*", "meeting.ended"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{"meeting.started", "meeting.ended", "recording.started", "app_deauthorized"} {
			happen(t, s, Event{Type: kind})
			happen(t, s, Event{Type: kind, App: s.Apps()[1].ClientID}) // another account's
		}
		synctest.Wait()
		if n := len(e.deliveries()); n != 2 {
			t.Errorf("%d deliveries", n)
		}
		s.Unsubscribe(sub.ID)
		happen(t, s, Event{Type: "meeting.ended"})
		synctest.Wait()
		if n := len(e.deliveries()); n != 2 {
			t.Errorf("%d deliveries after unsubscribing", n)
		}
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestUnsubscribingDropsRetries(t *testing.T) {
	e := &endpoint{answer: always(503)}
	withEndpoint(t, Options{}, e, func(s *Sim) {
		happen(t, s, Event{Type: "meeting.ended"})
		synctest.Wait()
		s.Unsubscribe(s.Subscriptions()[0].ID)
		time.Sleep(2 * time.Hour)
		if n := len(e.deliveries()); n != 1 {
			t.Errorf("%d deliveries", n)
		}
	})
}

func TestCloseLetsADeliveryEndAndDropsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started, release := make(chan struct{}), make(chan struct{})
		e := &endpoint{secret: testSecret, answer: func(int, *http.Request) int {
			close(started)
			<-release
			return 503
		}}
		s := New(Options{Client: e, Apps: []App{{SecretToken: testSecret}}})
		if _, err := s.Subscribe(t.Context(), Subscription{URL: "https://flow.test/"}); err != nil {
			t.Fatal(err)
		}
		happen(t, s, Event{Type: "meeting.ended"})
		<-started
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Close(short); err == nil {
			t.Error("closed with a delivery under way")
		}
		close(release)
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		happen(t, s, Event{Type: "meeting.ended"})
		time.Sleep(2 * time.Hour)
		if n := len(e.deliveries()); n != 1 {
			t.Errorf("%d deliveries", n)
		}
	})
}
