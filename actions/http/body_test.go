package http_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"zflow/actions"
	"zflow/actions/http"
)

// shelf is a store of files in memory, with the rules of the real one.
type shelf struct {
	mu    sync.Mutex
	files map[string][]byte
}

func (s *shelf) store() actions.Files {
	return actions.Files{
		Put: func(_ context.Context, r io.Reader, f actions.File, most int64) (actions.File, error) {
			data, err := io.ReadAll(io.LimitReader(r, most+1))
			if err == nil && int64(len(data)) > most {
				err = actions.ErrFileTooLarge
			}
			if err != nil {
				return f, err
			}
			return s.add(f, data), nil
		},
		Open: func(_ context.Context, f actions.File) (io.ReadCloser, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			data, ok := s.files[f.ID]
			if !ok {
				return nil, errors.New("it is gone")
			}
			return io.NopCloser(bytes.NewReader(data)), nil
		},
	}
}

func (s *shelf) add(f actions.File, data []byte) actions.File {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil {
		s.files = map[string][]byte{}
	}
	sum := sha256.Sum256(data)
	f.ID, f.Size, f.SHA256 = fmt.Sprintf("file-%d", len(s.files)), int64(len(data)), hex.EncodeToString(sum[:])
	s.files[f.ID] = data
	return f
}

func withFiles(t *testing.T, s *shelf, maxFile int64) *actions.Action {
	t.Helper()
	c, err := http.New(http.Options{Allow: []string{"127.0.0.1"}, Files: s.store(), MaxFile: maxFile})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.Action()
}

func serve(t *testing.T, h nethttp.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func TestFileIsSent(t *testing.T) {
	s := &shelf{}
	data := bytes.Repeat([]byte("0123456789"), 100_000)
	ref := s.add(actions.File{Name: "a.pdf", Type: "application/pdf"}, data).Value()
	var hops int
	var base string
	base = serve(t, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		got, _ := io.ReadAll(r.Body)
		if !bytes.Equal(got, data) || r.ContentLength != int64(len(data)) || r.Header.Get("Content-Type") != "application/pdf" {
			t.Errorf("%s: %d bytes of %d, type %q", r.URL.Path, len(got), r.ContentLength, r.Header.Get("Content-Type"))
		}
		if hops++; hops == 1 { // a redirect has the file sent again
			nethttp.Redirect(w, r, base+"/again", nethttp.StatusTemporaryRedirect)
		}
	})
	if _, err := call(t, withFiles(t, s, 0), map[string]any{"method": "PUT", "url": base, "file": ref}); err != nil || hops != 2 {
		t.Errorf("%v after %d hops", err, hops)
	}
	ref["file"] = "file-none"
	if _, err := call(t, withFiles(t, s, 0), map[string]any{"method": "PUT", "url": base, "file": ref}); err == nil || err.Class != actions.ClassFinal || hops != 2 {
		t.Errorf("a file that is gone: %v after %d hops", err, hops)
	}
}

func TestMultipart(t *testing.T) {
	s := &shelf{}
	one := s.add(actions.File{Name: "../../a \"b\".txt", Type: "text/plain"}, []byte("first"))
	two := s.add(actions.File{Name: "b.bin", Type: "no type"}, nil)
	var seen []string
	base := serve(t, func(_ nethttp.ResponseWriter, r *nethttp.Request) {
		if err := r.ParseMultipartForm(1 << 20); err != nil || r.ContentLength < 0 {
			t.Errorf("%v, length %d", err, r.ContentLength)
			return
		}
		seen = append(seen, fmt.Sprint(r.MultipartForm.Value))
		for _, f := range r.MultipartForm.File["docs"] {
			open, _ := f.Open()
			data, _ := io.ReadAll(open)
			seen = append(seen, f.Filename+"|"+f.Header.Get("Content-Type")+"|"+string(data))
		}
	})
	_, err := call(t, withFiles(t, s, 0), map[string]any{"method": "POST", "url": base, "multipart": map[string]any{
		"title": "hé\r\n--x", "n": int64(4), "many": []any{"p", true}, "none": nil, "docs": []any{one.Value(), two.Value()},
	}})
	want := "map[many:[p true] n:[4] title:[hé\r\n--x]]\na \"b\".txt|text/plain|first\nb.bin|application/octet-stream|"
	if got := strings.Join(seen, "\n"); err != nil || strings.ReplaceAll(got, "%22", `"`) != want {
		t.Errorf("%v\n%q, want\n%q", err, got, want)
	}
}

func TestAnswerIsSaved(t *testing.T) {
	s := &shelf{}
	data := bytes.Repeat([]byte("x"), 5<<20) // more than may be read
	sum := sha256.Sum256(data)
	base := serve(t, func(w nethttp.ResponseWriter, r *nethttp.Request) {
		w.Header().Set("Content-Type", "video/mp4")
		switch r.URL.Path {
		case "/short":
			w.Header().Set("Content-Length", "9000000")
		case "/gone":
			w.WriteHeader(404)
			fmt.Fprint(w, "no such recording")
			return
		}
		w.Write(data)
	})
	a := withFiles(t, s, 6<<20)
	out, err := call(t, a, map[string]any{"url": base, "save_as": "../up/meeting.mp4", "sha256": strings.ToUpper(hex.EncodeToString(sum[:]))})
	if err != nil {
		t.Fatal(err)
	}
	f, ok := actions.FileOf(out["file"])
	if !ok || f.Name != "meeting.mp4" || f.Type != "video/mp4" || f.Size != 5<<20 || f.SHA256 != hex.EncodeToString(sum[:]) || out["text"] != nil {
		t.Errorf("%v: %+v", ok, f)
	}
	for path, want := range map[string]actions.Class{"/short": actions.ClassRetryable, "/gone": actions.ClassFinal} {
		if _, err := call(t, a, map[string]any{"url": base + path, "save_as": "x"}); err == nil || err.Class != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := call(t, a, map[string]any{"url": base, "save_as": "x", "sha256": "00"}); err == nil || err.Class != actions.ClassFinal {
		t.Errorf("another hash: %v", err)
	}
	if _, err := call(t, withFiles(t, s, 1<<20), map[string]any{"url": base, "save_as": "x"}); err == nil || !strings.Contains(err.Message, "1048576 bytes") {
		t.Errorf("too large: %v", err)
	}
	if _, err := call(t, newAction(t, "127.0.0.1"), map[string]any{"url": base, "save_as": "x"}); err == nil || err.Class != actions.ClassFinal {
		t.Errorf("no store: %v", err)
	}
}
