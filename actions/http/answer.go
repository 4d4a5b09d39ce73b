package http

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	nethttp "net/http"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"zflow/actions"
)

// Answer is what a server said.
type Answer struct {
	Status int
	Output map[string]any // status, headers, and json, text or file

	r       *request
	res     *nethttp.Response
	said    any // the body
	saidAs  string
	refused bool
}

// answer reads the whole answer.
func (r *request) answer(ctx context.Context, res *nethttp.Response) (*Answer, error) {
	a := &Answer{Status: res.StatusCode, r: r, res: res}
	a.refused = res.StatusCode >= 300 && res.StatusCode != nethttp.StatusNotModified
	a.Output = map[string]any{"status": int64(res.StatusCode)}
	if name, ok := r.input["save_as"].(string); ok && !a.refused {
		a.Output["headers"] = headers(res.Header, r)
		return a, r.save(ctx, a, name)
	}
	body, err := r.read(res)
	if err != nil {
		return nil, r.lost("reading the answer of %s: %s", r.http.URL.Host, r.reason(ctx, err)).With(res.StatusCode, "")
	}
	if int64(len(body)) > r.c.o.MaxResponse {
		return nil, actions.Final("the answer of %s has more than %d bytes", r.http.URL.Host, r.c.o.MaxResponse).With(res.StatusCode, "")
	}
	if !r.private {
		for _, s := range r.secrets {
			if len(s) >= 8 {
				body = bytes.ReplaceAll(body, []byte(s), []byte(masked))
			}
		}
	}
	a.Output["headers"] = headers(res.Header, r)
	a.saidAs, a.said = content(res.Header.Get("Content-Type"), body)
	if a.saidAs != "" {
		a.Output[a.saidAs] = a.said
	}
	return a, nil
}

// save streams the answer to the store of files.
func (r *request) save(ctx context.Context, a *Answer, name string) error {
	put := r.c.o.Files.Put
	if put == nil {
		return actions.Final("answers cannot be saved here: there is no store of files")
	}
	kind, _, _ := strings.Cut(a.res.Header.Get("Content-Type"), ";")
	f, err := put(ctx, a.res.Body, actions.File{Name: path.Base(name), Type: strings.TrimSpace(kind)}, r.c.o.MaxFile)
	want, _ := r.input["sha256"].(string)
	switch {
	case errors.Is(err, actions.ErrFileTooLarge):
		return actions.Final("the answer of %s has more than %d bytes", r.http.URL.Host, r.c.o.MaxFile).With(a.Status, "")
	case err != nil:
		return r.lost("saving the answer of %s: %s", r.http.URL.Host, r.reason(ctx, err)).With(a.Status, "")
	case want != "" && !strings.EqualFold(want, f.SHA256):
		return actions.Final("the answer of %s is not the file that was expected: its SHA-256 is %s", r.http.URL.Host, f.SHA256).With(a.Status, "")
	}
	a.Output["file"] = f.Value()
	return nil
}

// read takes at most one byte more than the limit.
func (r *request) read(res *nethttp.Response) ([]byte, error) {
	limit := r.c.o.MaxResponse
	if n := res.ContentLength; n >= 0 && n <= limit && !res.Uncompressed && res.Request.Method != nethttp.MethodHead {
		body := make([]byte, n)
		_, err := io.ReadFull(res.Body, body)
		return body, err
	}
	return io.ReadAll(io.LimitReader(res.Body, limit+1))
}

// content is the body as JSON where it says that it is and is, else as text.
func content(contentType string, body []byte) (name string, value any) {
	if len(bytes.TrimSpace(body)) == 0 {
		return "", nil
	}
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind, _, _ = strings.Cut(strings.ToLower(contentType), ";")
	}
	if kind == "application/json" || kind == "text/json" || strings.HasSuffix(kind, "+json") {
		if v, err := actions.DecodeJSON(body); err == nil {
			return "json", v
		}
	}
	switch strings.ToLower(params["charset"]) {
	case "iso-8859-1", "latin1", "us-ascii":
		return "text", latin1(body)
	}
	if !utf8.Valid(body) {
		return "text", strings.ToValidUTF8(string(body), "\uFFFD")
	}
	return "text", string(body)
}

func latin1(body []byte) string {
	runes := make([]rune, len(body))
	for i, b := range body {
		runes[i] = rune(b)
	}
	return string(runes)
}

func headers(h nethttp.Header, r *request) map[string]any {
	out := make(map[string]any, len(h))
	for name, values := range h {
		text := strings.ToValidUTF8(strings.Join(values, ", "), "\uFFFD")
		for _, s := range r.secrets {
			text = maskOne(text, s)
		}
		out[strings.ToLower(name)] = text
	}
	return out
}

// Refusal is the error of an answer that is no success; nil: it is one.
func (a *Answer) Refusal() *actions.Error {
	if !a.refused {
		return nil
	}
	e := a.Error(a.said)
	switch s := a.Status; {
	case s == 408, s == 425, s == 429, s >= 500:
		e.Class, e.RetryAt = actions.ClassRetryable, a.RetryAt()
	}
	return e
}

// Error says, as a final error, what the server said; where it says why.
func (a *Answer) Error(where any) *actions.Error {
	message := fmt.Sprintf("%s %s", a.r.http.Method, a.r.http.URL.Host)
	if a.refused {
		message += ": " + statusText(a.Status)
	}
	if text := a.r.excerpt(a.saidAs, where); text != "" {
		message += ": " + text
	}
	if a.Status == nethttp.StatusUnauthorized && a.r.signed != "" && sameOrigin(a.res.Request.URL, a.r.http.URL) {
		message += fmt.Sprintf("; the connection %s is refused there: connect it again with `zflow connect http %s`, then `zflow runs retry` goes on", a.r.signed, a.r.signed)
	}
	return &actions.Error{Class: actions.ClassFinal, Status: a.Status, Code: code(where), Message: message}
}

// Says is a message about the answer with a text in place of what the server said;
// what must be shown nowhere is masked in it.
func (a *Answer) Says(text string) string {
	return fmt.Sprintf("%s %s: %s", a.r.http.Method, a.r.http.URL.Host, a.r.excerpt("text", text))
}

// RetryAt is when the server says that it may be asked again; zero: it does not.
func (a *Answer) RetryAt() time.Time {
	return retryAt(a.res.Header.Get("Retry-After"), time.Now())
}

func statusText(status int) string {
	if text := nethttp.StatusText(status); text != "" {
		return strings.ToLower(text)
	}
	return "refused"
}

// excerpt is what the server said, in short: the message of a JSON answer, the
// start of a plain text; nothing of a page.
func (r *request) excerpt(name string, value any) string {
	text := ""
	switch v := value.(type) {
	case map[string]any:
		for _, field := range []string{"message", "error_description", "detail", "error", "reason", "title"} {
			if inner, ok := v[field].(map[string]any); ok {
				return r.excerpt(name, inner)
			}
			if text, _ = v[field].(string); text != "" {
				break
			}
		}
	case string:
		text = v
	}
	text = strings.Join(strings.Fields(text), " ")
	if strings.HasPrefix(text, "<") {
		return ""
	}
	text = r.mask(text)
	if short := []rune(text); len(short) > 200 {
		text = string(short[:200]) + "…"
	}
	return text
}

// code is the API's own error code, where the body has one.
func code(value any) string {
	object, ok := value.(map[string]any)
	if !ok {
		return ""
	}
	if inner, ok := object["error"].(map[string]any); ok && object["code"] == nil {
		object = inner
	}
	text, _ := scalar(object["code"])
	if len(text) > 64 {
		return ""
	}
	return text
}

// retryAt reads Retry-After: seconds, or a date. What lies in the past, or is
// no time at all, is left to the step's policy.
func retryAt(header string, now time.Time) time.Time {
	header = strings.TrimSpace(header)
	if s, err := strconv.ParseInt(header, 10, 32); err == nil && s > 0 {
		return now.Add(time.Duration(s) * time.Second)
	}
	if at, err := nethttp.ParseTime(header); err == nil && at.After(now) {
		return at
	}
	return time.Time{}
}
