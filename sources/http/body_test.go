package http

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	nethttp "net/http"
	"strings"
	"testing"
	"testing/iotest"

	"zflow/actions"
)

// kept stores files in memory.
type kept struct{ files map[string]string }

func (k *kept) put(_ context.Context, r io.Reader, f actions.File, most int64) (actions.File, error) {
	raw, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return f, err
	}
	if int64(len(raw)) > most {
		return f, actions.ErrFileTooLarge
	}
	f.ID, f.Size, f.SHA256 = "file-"+f.Name, int64(len(raw)), "hash"
	k.files[f.ID] = string(raw)
	return f, nil
}

// read reads a body with a limit of 100 bytes, of 1,000 for its files.
func read(kind, body string, k *kept) (content, *fault) {
	r := &nethttp.Request{Header: nethttp.Header{}}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	b := &reader{body: iotest.HalfReader(strings.NewReader(body)), most: 100, uploads: uploads{ctx: context.Background(), put: k.put, left: 1000}}
	return b.read(r)
}

const jsonType, formType = "application/json", "application/x-www-form-urlencoded"

func parts(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("--x\r\nContent-Disposition: form-data; " + p + "\r\n")
	}
	return b.String() + "--x--\r\n"
}

func TestBodies(t *testing.T) {
	for _, c := range []struct{ kind, body, want string }{
		{jsonType, `{"n": 9007199254740993}`, `{"n": 9007199254740993}`},
		{"application/cloudevents+json; charset=utf-8", "\xef\xbb\xbf[1]", `[1]`},
		{jsonType, ``, `{}`}, {jsonType, "  ", `{}`}, {"", "", `{}`}, {"text/plain", "", `{}`},
		{formType, `a=1&b=x+y&b=%C3%BC&c`, `{"a":"1","b":["x y","ü"],"c":""}`},
		{"text/plain", "hé", `"hé"`}, {"text/plain; charset=iso-8859-1", "h\xe9", `"hé"`}, {"application/xml", "<a/>", `"\u003ca/\u003e"`},
		{"", `{"a":1}`, `{"a":1}`}, {"", `12`, `12`}, {"", "plain", `"plain"`},
		{"multipart/form-data; boundary=x", parts("name=a\r\n\r\n1", "name=b\r\n\r\n2", "name=b\r\n\r\n3"), `{"a":"1","b":["2","3"]}`},
		{"multipart/form-data; boundary=x", parts("name=f; filename=\"../a\\\\b.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF"),
			`{"f":{"file":"file-b.pdf","name":"b.pdf","sha256":"hash","size":4,"type":"application/pdf"}}`},
		{"application/pdf; name=x.pdf", "%PDF", `{"file":"file-x.pdf","name":"x.pdf","sha256":"hash","size":4,"type":"application/pdf"}`},
		{"image/png", "", `{}`},
	} {
		got, f := read(c.kind, c.body, &kept{map[string]string{}})
		if f != nil || string(got.json) != c.want {
			t.Errorf("%s %q: %s, %+v", c.kind, c.body, got.json, f)
		}
	}
}

func TestBadBodies(t *testing.T) {
	long, much := strings.Repeat("a", 101), strings.Repeat("a", 1001)
	for _, c := range []struct {
		kind, body string
		want       Outcome
	}{
		{jsonType, `{"n": 1`, Malformed}, {jsonType, `{} {}`, Malformed}, {jsonType, "\"\xff\"", Malformed}, {jsonType, "'a'", Malformed},
		{jsonType, `"` + long + `"`, Oversize}, {"text/plain", long, Oversize}, {"", long, Oversize}, {formType, "a=" + long, Oversize},
		{"text/plain", "\xff", Malformed}, {"text/plain; charset=koi8-r", "a", Unsupported}, {"text/;", "a", Unsupported},
		{formType, "a=%zz", Malformed}, {formType, strings.Repeat("&", 1000), Oversize}, {"", "\xff\xfe", Malformed},
		{"multipart/form-data", "", Malformed}, {"multipart/form-data; boundary=x", "", Malformed}, {"multipart/form-data; boundary=x", "nothing", Malformed},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1", Malformed},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x\r\n", Malformed}, // the next part is lost
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x", Malformed},
		{"multipart/form-data; boundary=x", parts("filename=a\r\n\r\n1"), Malformed},
		{"multipart/form-data; boundary=x", parts("name=a\r\n\r\n" + long), Oversize},
		{"multipart/form-data; boundary=x", parts("name=a; filename=a\r\n\r\n" + much), Oversize},
		{"multipart/form-data; boundary=x", parts("name=a; filename=a\r\n\r\n"+much[:600], "name=a; filename=b\r\n\r\n"+much[:600]), Oversize},
		{"image/png", much, Oversize},
	} {
		if got, f := read(c.kind, c.body, &kept{map[string]string{}}); f == nil || f.Outcome != c.want || f.text == "" {
			t.Errorf("%s %.40q: %s, %+v", c.kind, c.body, got.json, f)
		}
	}
	many := make([]string, mostParts+1)
	for i := range many {
		many[i] = "name=a\r\n\r\n"
	}
	b := &reader{body: strings.NewReader(parts(many...)), most: 1 << 20}
	if _, f := b.multipart("x"); f == nil || f.Outcome != TooManyParts {
		t.Errorf("%d parts: %+v", len(many), f)
	}
}

// A file that cannot be stored is not the caller's fault; one that breaks off is.
func TestWhoseFault(t *testing.T) {
	r := &nethttp.Request{Header: nethttp.Header{"Content-Type": {"image/png"}}}
	refusing := func(context.Context, io.Reader, actions.File, int64) (actions.File, error) {
		return actions.File{}, errors.New("no disk")
	}
	b := &reader{body: strings.NewReader("png"), uploads: uploads{put: refusing, left: 10}}
	if _, f := b.read(r); f == nil || f.Outcome != Unavailable || strings.Contains(f.text, "disk") {
		t.Errorf("%+v", f)
	}
	b = &reader{body: io.MultiReader(strings.NewReader("png"), iotest.ErrReader(io.ErrUnexpectedEOF)), uploads: uploads{put: (&kept{map[string]string{}}).put, left: 10}}
	if _, f := b.read(r); f == nil || f.Outcome != Malformed {
		t.Errorf("%+v", f)
	}
}

func TestFileName(t *testing.T) {
	for name, want := range map[string]string{"a.pdf": "a.pdf", "../../etc/passwd": "passwd", `C:\x\y.txt`: "y.txt", "": "", "..": "", "/": "", "a\x00\nb": "ab", strings.Repeat("é", 200): strings.Repeat("é", 127)} {
		if got := fileName(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}

func FuzzBody(f *testing.F) {
	f.Add(jsonType, []byte(`{"a":[1,2,{"b":null}]}`))
	f.Add(formType, []byte("a=1&a=2"))
	f.Add("multipart/form-data; boundary=x", []byte(parts("name=a; filename=b\r\n\r\n1")))
	f.Add("text/plain; charset=latin1", []byte("\xe9"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		got, fault := read(kind, string(body), &kept{map[string]string{}})
		if (fault == nil) != (got.json != nil && json.Valid(got.json)) && fault == nil {
			t.Errorf("%q %q: %q", kind, body, got.json)
		}
		if fault != nil && (fault.status() < 400 || fault.text == "") {
			t.Errorf("%q: %+v", kind, fault)
		}
	})
}
