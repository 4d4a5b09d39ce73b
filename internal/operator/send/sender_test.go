package send

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestEventsAreSignedAsZoomSigns(t *testing.T) {
	type request struct{ path, at, signature, body string }
	var got request
	status := http.StatusNoContent
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = request{r.URL.Path, r.Header.Get("x-zm-request-timestamp"), r.Header.Get("x-zm-signature"), string(body)}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "no\nthanks")
	}))
	defer s.Close()
	sender, err := New(s.URL, "school", "secret")
	if err != nil {
		t.Fatal(err)
	}
	sent, err := sender.Send(context.Background(), "meeting.ended", []byte(`{"a":1}`))
	if err != nil || !sent.Accepted || sent.Status != 204 {
		t.Fatalf("sent as %+v, %v", sent, err)
	}
	h := hmac.New(sha256.New, []byte("secret"))
	h.Write([]byte("v0:" + got.at + ":" + got.body))
	if got.path != "/hooks/zoom/school" || got.body != `{"a":1}` || got.signature != "v0="+hex.EncodeToString(h.Sum(nil)) {
		t.Errorf("it got %+v", got)
	}
	for _, refusal := range []int{401, 413, 503, 302} {
		status = refusal
		sent, err := sender.Send(context.Background(), "meeting.ended", []byte("{}"))
		if err != nil || sent.Accepted || sent.Status != refusal || refusal != 302 && sent.Answer != "no thanks" {
			t.Errorf("%d: %+v, %v", refusal, sent, err)
		}
	}
}

func TestASenderNeedsASecretAndAnAddress(t *testing.T) {
	for to, want := range map[string]string{
		"http://h": "http://h/hooks/zoom/default", "http://h/": "http://h/hooks/zoom/default", "https://h/hooks/zoom/x": "https://h/hooks/zoom/x",
		"": "", "h:1": "", "ftp://h": "", "http://": "", "::": "",
	} {
		s, err := New(to, "default", "secret")
		if (err != nil) != (want == "") || err == nil && s.URL() != want {
			t.Errorf("%q: %v, %v", to, s, err)
		}
	}
	if _, err := New("http://h", "default", ""); err == nil {
		t.Error("a sender without a secret")
	}
	s, _ := New("http://127.0.0.1:1", "default", "very-secret")
	if _, err := s.Send(context.Background(), "x", nil); err == nil || strings.Contains(err.Error(), "very-secret") {
		t.Errorf("to nobody: %v", err)
	}
}

func TestPayloads(t *testing.T) {
	now := time.Now()
	a, known, _ := Payload("meeting.ended", now, 0)
	b, _, _ := Payload("meeting.ended", now, 1)
	if !known || string(a) == string(b) || !json.Valid(a) {
		t.Errorf("made up %s and %s", a, b)
	}
	u, _, _ := Payload("user.created", now, 0)
	v, _, _ := Payload("user.created", now, 1)
	if string(u) == string(v) {
		t.Errorf("two events without a meeting are one: %s", u)
	}
	c, known, suggestion := Payload("meeting.endedd", now, 0)
	if known || suggestion != "meeting.ended" || CheckBody("meeting.endedd", c) != nil {
		t.Errorf("made up %s, %q", c, suggestion)
	}
	for body, ok := range map[string]bool{`{"event":"a"}`: true, `{"event":"b"}`: false, `[]`: false, ``: false, `{`: false} {
		if (CheckBody("a", []byte(body)) == nil) != ok {
			t.Errorf("%q: ok is not %v", body, ok)
		}
	}
	if len(EventTypes()) < 590 {
		t.Errorf("%d event types", len(EventTypes()))
	}
}
