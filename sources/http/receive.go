package http

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	nethttp "net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"zflow/engine/workflow"
	"zflow/internal/sealed"
	"zflow/proto"
)

const (
	// spare is what a message holds besides the body.
	spare = 64 << 10
	// mostTrigger is how long what trigger has may be.
	mostTrigger = 48 << 10
	mostKey     = 255
)

// mostBody is the longest body that stands in an event.
func (h *Handler) mostBody() int64 {
	server := int64(defaultBody + spare)
	if h.config.MaxPayload != nil {
		if n := h.config.MaxPayload(); n > 0 {
			server = n
		}
	}
	return min(h.config.Body, max(server-spare, server/2))
}

// receive reads a request and makes its event.
func (h *Handler) receive(w nethttp.ResponseWriter, r *nethttp.Request, route *Route) (*call, *fault) {
	now := time.Now()
	trigger, f := triggerOf(r, &route.Auth)
	if f != nil {
		return nil, f
	}
	body, f := h.body(w, r, route, now)
	if f != nil {
		return nil, f
	}
	if body.json = sealed.MaskForeign(body.json); int64(len(body.json)) > h.mostBody() {
		return nil, tooLong(h.mostBody())
	}
	key, f := keyOf(r, route.Key, body.json)
	if f != nil {
		return nil, f
	}
	e := &proto.Event{
		ID: proto.EventID(proto.SourceHTTP, route.Workflow, key...), Type: route.Workflow, Source: proto.SourceHTTP, Origin: proto.FromHTTP,
		Subject: r.Method + " " + Path + route.Path, ContentType: body.kind, Time: now, ReceivedAt: now, Body: body.json, Trigger: trigger,
	}
	return &call{route: route, event: e, run: proto.RunID(route.Workflow, e.ID)}, nil
}

// body reads, checks the signature of, and parses a body.
func (h *Handler) body(w nethttp.ResponseWriter, r *nethttp.Request, route *Route, now time.Time) (content, *fault) {
	if coded := strings.TrimSpace(r.Header.Get("Content-Encoding")); coded != "" && !strings.EqualFold(coded, "identity") {
		return content{}, &fault{Unsupported, "a body is taken as it is, without the Content-Encoding that this has", 0}
	}
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	files := kind == "multipart/form-data" || isRaw(kind)
	most, within := h.mostBody(), h.config.Read
	if files {
		release, ok := take(h.files)
		if !ok {
			return content{}, &fault{Overload, "too many uploads at once: send it again", 0}
		}
		defer release()
		most, within = h.config.Upload+h.mostBody(), max(readFiles, within)
	}
	if signed := route.Auth.Kind == workflow.AuthHMAC; signed {
		most = h.mostBody() // it is read whole before anything of it is believed
	}
	if r.ContentLength > most {
		return content{}, tooLong(most)
	}
	// Where it is not supported the server's own read time-out ends the reading.
	_ = nethttp.NewResponseController(w).SetReadDeadline(now.Add(within))
	b := &reader{body: nethttp.MaxBytesReader(w, r.Body, most), most: h.mostBody()}
	if f := h.verify(b, r, route, now); f != nil {
		return content{}, f
	}
	if !files {
		return b.read(r)
	}
	ctx, cancel := context.WithTimeout(r.Context(), within)
	defer cancel()
	return h.withFiles(ctx, b, r)
}

// withFiles reads a body that has files, or is one.
func (h *Handler) withFiles(ctx context.Context, b *reader, r *nethttp.Request) (content, *fault) {
	if h.config.Room != nil && h.config.Room(ctx) != nil {
		return content{}, &fault{NoRoom, "there is no room for files now: send it again", 0}
	}
	put, settle, err := h.config.Files.Begin()
	if err != nil {
		return content{}, &fault{Unavailable, "files cannot be stored now: send it again", 0}
	}
	b.uploads = uploads{ctx: ctx, put: put, left: h.config.Upload}
	c, f := b.read(r)
	if f == nil && b.uploads.n > 0 && settle(ctx) != nil {
		return c, &fault{Unavailable, "the file cannot be stored now: send it again", 0}
	}
	return c, f
}

// verify checks the signature of a request that has to have one.
func (h *Handler) verify(b *reader, r *nethttp.Request, route *Route, now time.Time) *fault {
	if route.Auth.Kind != workflow.AuthHMAC {
		return nil
	}
	raw, f := b.all()
	if f != nil {
		return f
	}
	switch route.Auth.signature(r.Header, raw, now) {
	case signedBadly:
		return &fault{BadSignature, "the signature is missing, or is not that of this body", 0}
	case signedTooEarly:
		return &fault{Stale, "it was signed too long ago, or the clocks differ", 0}
	}
	b.body = bytes.NewReader(raw)
	return nil
}

// secrets are headers that show who calls, and those of proxies and browsers.
var secrets = []string{"authorization", "proxy-authorization", "cookie"}

// triggerOf is what an event's trigger has of a request.
func triggerOf(r *nethttp.Request, auth *Auth) ([]byte, *fault) {
	headers := map[string]string{"host": r.Host}
	for name, values := range r.Header {
		name = strings.ToLower(name)
		if !slices.Contains(secrets, name) && !auth.carries(name) {
			headers[name] = strings.ToValidUTF8(strings.Join(values, ", "), "\ufffd")
		}
	}
	if strings.Count(r.URL.RawQuery, "&") >= mostFields {
		return nil, &fault{TooManyParts, "the query has more than 1000 fields", 0}
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &fault{Malformed, "the query cannot be read", 0}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	path := strings.TrimSuffix(strings.ToValidUTF8(r.URL.Path, "\ufffd"), "/")
	if err := e.Encode(map[string]any{"method": r.Method, "path": path, "query": flat(query), "headers": headers}); err != nil {
		return nil, &fault{Malformed, "the headers cannot be read", 0}
	}
	raw := sealed.MaskForeign(bytes.TrimSpace(b.Bytes()))
	if len(raw) > mostTrigger {
		return nil, &fault{TooManyParts, "headers and query are too long", nethttp.StatusRequestHeaderFieldsTooLarge}
	}
	return raw, nil
}

// keyOf returns what the event's id is made of: the key of the request, or chance.
func keyOf(r *nethttp.Request, k workflow.RequestKey, body []byte) ([]string, *fault) {
	key, where := "", ""
	switch {
	case k.Header != "":
		key, where = r.Header.Get(k.Header), "the header "+k.Header
	case k.Query != "":
		key, where = r.URL.Query().Get(k.Query), "the query "+k.Query
	case k.Field != "":
		key, where = fieldOf(body, k.Field), "the field "+k.Field
	}
	if key == "" && where != "" && !k.Optional {
		return nil, &fault{Malformed, "the request lacks " + where + ", by which it is known when it comes again", 0}
	}
	if key == "" {
		key, where = r.Header.Get("Idempotency-Key"), "the header Idempotency-Key"
	}
	switch {
	case len(key) > mostKey || !utf8.ValidString(key):
		return nil, &fault{Malformed, where + " is longer than 255 characters, or no text", 0}
	case key == "":
		return []string{"request", rand.Text()}, nil
	}
	return []string{"key", key}, nil
}

// fieldOf returns a text or a number of a body, as text; empty where there is none.
func fieldOf(body []byte, path string) string {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil && err != io.EOF {
		return ""
	}
	for name := range strings.SplitSeq(path, ".") {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}
