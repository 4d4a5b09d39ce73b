package zoomsim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"zflow/internal/zoomcatalog"
)

func BenchmarkSign(b *testing.B) {
	body := zoomcatalog.Sample("meeting.ended")
	b.ReportAllocs()
	for b.Loop() {
		Sign("secret", 1772445600, body)
	}
}

func BenchmarkCall(b *testing.B) {
	s := New(Options{})
	s.tokens["t"] = &grant{app: s.apps[0], expires: time.Now().Add(time.Hour)}
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/v2/chat/users/me/messages", strings.NewReader(`{"message":"m","to_contact":"c"}`))
		r.Header.Set("Authorization", "Bearer t")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusCreated {
			b.Fatal(w.Body)
		}
	}
}
