package http

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	nethttp "net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"zflow/actions"
)

// Most of what a request may have.
const (
	mostHeaders = 100
	mostFields  = 1000 // of a form or a query
	mostParts   = 200  // of a multipart body
)

// content is a request's body as an event has it: JSON.
type content struct {
	json []byte
	kind string // MIME type that was sent
}

// object is a form: what stands there twice is a list.
type object map[string]any

func (o object) add(name string, value any) {
	switch old, there := o[name]; list := old.(type) {
	case []any:
		o[name] = append(list, value)
	default:
		if there {
			value = []any{old, value}
		}
		o[name] = value
	}
}

// empty is the body of a request that has none.
var empty = []byte("{}")

// reader reads one request's body.
type reader struct {
	body    io.Reader
	most    int64 // of what stands in the event
	uploads uploads
}

// read turns a body into an event's. What is a file goes to BLOBS.
func (b *reader) read(r *nethttp.Request) (content, *fault) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Header.Get("Content-Type") != "" && err != nil {
		return content{}, &fault{Unsupported, "the Content-Type cannot be read", 0}
	}
	switch {
	case kind == "multipart/form-data":
		return b.multipart(params["boundary"])
	case isRaw(kind):
		return b.file(kind, params["name"])
	}
	raw, f := b.all()
	if f != nil {
		return content{}, f
	}
	return parse(kind, params["charset"], raw)
}

// isRaw tells whether a body of this type is a file rather than a value.
func isRaw(kind string) bool {
	return kind != "" && !isJSON(kind) && !isText(kind) && kind != "application/x-www-form-urlencoded" && kind != "multipart/form-data"
}

func isJSON(kind string) bool { return kind == "application/json" || strings.HasSuffix(kind, "+json") }

func isText(kind string) bool {
	return strings.HasPrefix(kind, "text/") || kind == "application/xml" || strings.HasSuffix(kind, "+xml") || kind == "application/graphql"
}

// parse turns bytes that are no file into JSON.
func parse(kind, charset string, raw []byte) (content, *fault) {
	c := content{kind: kind}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	blank := len(bytes.TrimSpace(raw)) == 0
	switch {
	case blank:
		c.json = empty
	case isJSON(kind):
		if !utf8.Valid(raw) || !json.Valid(raw) {
			return c, &fault{Malformed, "the body is no JSON, as its Content-Type says: " + jsonFault(raw), 0}
		}
		c.json = raw
	case kind == "application/x-www-form-urlencoded":
		return form(kind, string(raw))
	case kind == "" && utf8.Valid(raw) && json.Valid(raw):
		c.json, c.kind = raw, "application/json"
	default:
		text, f := textOf(raw, charset)
		if f != nil {
			return c, f
		}
		c.json = quoted(text)
	}
	return c, nil
}

// jsonFault says where JSON is wrong, without what stands there.
func jsonFault(raw []byte) string {
	if !utf8.Valid(raw) {
		return "it is not UTF-8"
	}
	var v any
	err := json.Unmarshal(raw, &v)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return syntax.Error()
	}
	return "it cannot be read"
}

func form(kind, text string) (content, *fault) {
	if strings.Count(text, "&") >= mostFields {
		return content{}, &fault{TooManyParts, "the form has more than 1000 fields", 0}
	}
	values, err := url.ParseQuery(text)
	if err != nil {
		return content{}, &fault{Malformed, "the body is no form, as its Content-Type says", 0}
	}
	raw, err := json.Marshal(flat(values))
	if err != nil {
		return content{}, &fault{Malformed, "the form cannot be read", 0}
	}
	return content{raw, kind}, nil
}

// flat is a form or a query: a text, or a list where a name stands several times.
func flat(values url.Values) object {
	o := object{}
	for name, list := range values {
		for _, v := range list {
			o.add(strings.ToValidUTF8(name, "\ufffd"), strings.ToValidUTF8(v, "\ufffd"))
		}
	}
	return o
}

func textOf(raw []byte, charset string) (string, *fault) {
	switch strings.ToLower(charset) {
	case "", "utf-8", "utf8", "us-ascii":
		if !utf8.Valid(raw) {
			return "", &fault{Malformed, "the body is no UTF-8 text", 0}
		}
		return string(raw), nil
	case "iso-8859-1", "latin1":
		runes := make([]rune, len(raw))
		for i, c := range raw {
			runes[i] = rune(c)
		}
		return string(runes), nil
	}
	return "", &fault{Unsupported, "the charset is none of utf-8 and iso-8859-1", 0}
}

func quoted(text string) []byte {
	raw, err := json.Marshal(text)
	if err != nil {
		return empty // a text always marshals
	}
	return raw
}

// all reads a body that stands in the event.
func (b *reader) all() ([]byte, *fault) {
	raw, err := io.ReadAll(io.LimitReader(b.body, b.most+1))
	switch {
	case int64(len(raw)) > b.most:
		return nil, tooLong(b.most)
	case err != nil:
		return nil, broken(err)
	}
	return raw, nil
}

// broken is a body that did not come whole.
func broken(err error) *fault {
	var n net.Error
	var long *nethttp.MaxBytesError
	switch {
	case errors.As(err, &n) && n.Timeout():
		return &fault{Slow, "the body did not come in time", 0}
	case errors.As(err, &long):
		return tooLong(long.Limit)
	case errors.Is(err, actions.ErrFileTooLarge):
		return &fault{Oversize, err.Error(), 0}
	}
	return &fault{Malformed, "the body breaks off, or is not what its headers say", 0}
}
