package http

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	nethttp "net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"zflow/actions"
)

// answer reads the whole answer and tells a success from a refusal.
func (c *Client) answer(ctx context.Context, r *request, res *nethttp.Response) (any, error) {
	body, err := c.read(res)
	if err != nil {
		return nil, r.lost("reading the answer of %s: %s", r.http.URL.Host, r.reason(ctx, err)).With(res.StatusCode, "")
	}
	if int64(len(body)) > c.limit {
		return nil, actions.Final("the answer of %s has more than %d bytes", r.http.URL.Host, c.limit).With(res.StatusCode, "")
	}
	ok := res.StatusCode < 300 || res.StatusCode == nethttp.StatusNotModified
	if !ok {
		return nil, r.refusedBy(res, body)
	}
	for _, s := range r.secrets {
		if len(s) >= 8 {
			body = bytes.ReplaceAll(body, []byte(s), []byte(masked))
		}
	}
	out := map[string]any{"status": int64(res.StatusCode), "headers": headers(res.Header, r)}
	if name, value := content(res.Header.Get("Content-Type"), body); name != "" {
		out[name] = value
	}
	return out, nil
}

// read takes at most one byte more than the limit.
func (c *Client) read(res *nethttp.Response) ([]byte, error) {
	if n := res.ContentLength; n >= 0 && n <= c.limit && !res.Uncompressed && res.Request.Method != nethttp.MethodHead {
		body := make([]byte, n)
		_, err := io.ReadFull(res.Body, body)
		return body, err
	}
	return io.ReadAll(io.LimitReader(res.Body, c.limit+1))
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

// refusedBy is the error of an answer that is no success.
func (r *request) refusedBy(res *nethttp.Response, body []byte) *actions.Error {
	message := fmt.Sprintf("%s %s: %s", r.http.Method, r.http.URL.Host, statusText(res.StatusCode))
	name, value := content(res.Header.Get("Content-Type"), body)
	if text := r.excerpt(name, value); text != "" {
		message += ": " + text
	}
	e := &actions.Error{Class: actions.ClassFinal, Status: res.StatusCode, Code: code(value), Message: message}
	switch s := res.StatusCode; {
	case s == 408, s == 425, s == 429, s >= 500:
		e.Class = actions.ClassRetryable
		e.RetryAt = retryAt(res.Header.Get("Retry-After"), time.Now())
	}
	return e
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
