package zoomsim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
	token := s.NewToken()
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/v2/chat/users/me/messages", strings.NewReader(`{"message":"m","to_contact":"c"}`))
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusCreated {
			b.Fatal(w.Body)
		}
	}
}
