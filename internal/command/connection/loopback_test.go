package connection

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"zflow/internal/connections"
)

// zoomSide is what the desk does with an answer: a code is good once.
type zoomSide struct{ asked []connections.Answer }

func (z *zoomSide) finish(_ context.Context, a connections.Answer) (connections.Record, error) {
	z.asked = append(z.asked, a)
	switch {
	case a.Error == "access_denied":
		return connections.Record{}, errors.New("connecting lina: the consent was denied")
	case len(z.asked) > 1:
		return connections.Record{}, errors.New("connecting lina: this authorization was used already")
	}
	return connections.Record{Name: "lina", State: connections.Connected}, nil
}

func get(h http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}

// What comes back from the browser: another's state changes nothing and is not the
// end, a denial and a code that was used have their words, and no page is kept.
func TestComesBack(t *testing.T) {
	cases := map[string]struct {
		calls []string
		asked int
		code  int
		page  string
		err   string
	}{
		"allowed":     {[]string{"state=mine&code=c"}, 1, 200, "Connected: lina", ""},
		"other state": {[]string{"state=other&code=c"}, 0, 400, "its state is another", "nobody came"},
		"no state":    {[]string{"code=c"}, 0, 400, "its state is another", "nobody came"},
		"then mine":   {[]string{"state=other&code=c", "state=mine&code=c"}, 1, 200, "Connected: lina", ""},
		"denied":      {[]string{"state=mine&error=access_denied"}, 1, 400, "the consent was denied", "denied"},
		"reused":      {[]string{"state=mine&code=c", "state=mine&code=c"}, 2, 400, "used already", ""},
	}
	for name, c := range cases {
		z, came := &zoomSide{}, make(chan outcome, 1)
		h := comesBack("mine", z.finish, came)
		var last *httptest.ResponseRecorder
		for _, query := range c.calls {
			last = get(h, callback+"?"+query)
		}
		o := outcome{err: errors.New("nobody came")}
		select {
		case o = <-came: // what came first is what connect tells
		default:
		}
		if (o.err == nil) != (c.err == "") || o.err != nil && !strings.Contains(o.err.Error(), c.err) || o.err == nil && o.record.Name != "lina" {
			t.Errorf("%s: came %+v", name, o)
		}
		if last.Code != c.code || !strings.Contains(last.Body.String(), c.page) || len(z.asked) != c.asked {
			t.Errorf("%s: status %d, asked %d: %s", name, last.Code, len(z.asked), last.Body)
		}
		if last.Header().Get("Cache-Control") != "no-store" || last.Header().Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", name, last.Header())
		}
	}
}

// A page shows what Zoom says as text, and only the call-back is answered.
func TestPageIsText(t *testing.T) {
	said := func(context.Context, connections.Answer) (connections.Record, error) {
		return connections.Record{}, errors.New("<script>alert(1)</script>")
	}
	h := comesBack("mine", said, make(chan outcome, 1))
	if w := get(h, callback+"?state=mine"); strings.Contains(w.Body.String(), "<script>") {
		t.Error(w.Body)
	}
	if w := get(h, "/other"); w.Code != http.StatusNotFound {
		t.Error(w.Code)
	}
}

// The code that comes back is a secret: nobody else can be listening, nor asked.
func TestListen(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:80", "example.com:80", "8765"} {
		if l, err := listen(address); err == nil {
			l.Close()
			t.Errorf("%s: listens", address)
		}
	}
	l, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := listen(l.Addr().String()); err == nil || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("a port that is taken: %v", err)
	}
}
