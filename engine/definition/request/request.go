// Package request reads the trigger http of a definition.
package request

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"zflow/engine/definition/document"
	"zflow/engine/definition/form"
	"zflow/engine/definition/language"
	"zflow/engine/expr"
	"zflow/engine/workflow"
)

// Reader reads a trigger of a workflow.
type Reader struct {
	*form.Reader
	Workflow string // its name
	// Template compiles a text that may name secrets and vars.
	Template func(n *document.Node, text string) *expr.Template
}

const (
	defaultTimeout = 30 * time.Second
	mostTimeout    = 10 * time.Minute
)

var (
	validPath   = regexp.MustCompile(language.PathPattern)
	validMethod = regexp.MustCompile(language.MethodPattern)
	validHeader = regexp.MustCompile(language.HeaderPattern)
	validField  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*$`)
)

// HTTP reads the trigger.
func (r *Reader) HTTP(n *document.Node) *workflow.HTTP {
	h := &workflow.HTTP{Path: r.Workflow, Methods: []string{"POST"}, Timeout: defaultTimeout, Auth: workflow.Auth{Kind: workflow.AuthNone}, Line: n.Line, Column: n.Column}
	if !r.Fields(n, "http", language.HTTP) {
		return h
	}
	if at := n.Get("path"); at != nil {
		h.Path = r.path(at)
	}
	if at := n.Get("method"); at != nil {
		h.Methods = r.methods(at)
	}
	if at := n.Get("auth"); at != nil {
		h.Auth = r.auth(at)
	}
	if at := n.Get("respond"); at != nil {
		h.Wait = r.OneOf(at, "respond", language.Responds) == "when_done"
	}
	if at := n.Get("timeout"); at != nil {
		h.Timeout = r.timeout(at, h.Wait)
	}
	if at := n.Get("cors"); at != nil {
		h.CORS = r.cors(at)
	}
	h.Key = presetKeys[preset(&h.Auth)]
	if at := n.Get("key"); at != nil {
		h.Key = r.key(at)
	}
	return h
}

func (r *Reader) path(n *document.Node) string {
	s := r.Text(n, "path")
	if rest, found := strings.CutPrefix(s, "/"); found {
		r.Fail(n, "write "+strings.TrimPrefix(rest, "http/"), "a path begins without a slash: it comes after /http/")
	} else if s != "" && !validPath.MatchString(s) {
		r.Fail(n, "such as orders or orders/new: letters, digits, - _ . and /", "%q is no path", s)
	}
	return s
}

// methods are in capitals; none is any.
func (r *Reader) methods(n *document.Node) []string {
	var all []string
	for _, i := range r.list(n, "method") {
		s := r.Text(i, "method")
		switch upper := strings.ToUpper(s); {
		case s == "":
		case s == "any" && n.Kind != document.List:
			return nil
		case !validMethod.MatchString(upper):
			r.Fail(i, "such as GET, or any", "%q is no HTTP method", s)
		case slices.Contains(all, upper):
			r.Fail(i, "", "the method %s is there twice", upper)
		default:
			all = append(all, upper)
		}
	}
	return all
}

// list returns the items of a list, or a node that is the only one.
func (r *Reader) list(n *document.Node, what string) []*document.Node {
	if n.Kind != document.List {
		return []*document.Node{n}
	}
	if len(n.Items) == 0 {
		r.Fail(n, "leave it out", "the list of %s is empty", what)
	}
	return n.Items
}

func (r *Reader) texts(n *document.Node, what string) (all []string) {
	if n == nil {
		return nil
	}
	for _, i := range r.list(n, what) {
		if s := r.Text(i, what); s != "" {
			all = append(all, s)
		}
	}
	return all
}

func (r *Reader) timeout(n *document.Node, wait bool) time.Duration {
	d := r.Duration(n, "timeout", true)
	switch {
	case d > mostTimeout:
		r.Fail(n, "write 10m or less; who needs longer asks for the run later", "nobody waits longer than 10m for an answer")
	case d > 0 && !wait:
		r.Fail(n, "add respond: when_done", "timeout says how long to wait for the run, which respond: now does not")
	}
	return d
}

func (r *Reader) key(n *document.Node) workflow.RequestKey {
	var k workflow.RequestKey
	if !r.Fields(n, "key", language.RequestKey) {
		return k
	}
	has := form.Present(n, []string{"header", "field", "query"})
	switch {
	case len(has) == 0:
		r.Fail(n, "such as { header: X-Request-Id }", "key needs one of header, field and query")
		return k
	case len(has) > 1:
		r.Fail(n.KeyOf(has[1]), "", "key has either %s or %s", has[0], has[1])
	}
	at := n.Get(has[0])
	s := r.Text(at, has[0])
	switch has[0] {
	case "header":
		k.Header = r.header(at, s)
	case "query":
		k.Query = s
	default:
		if s != "" && !validField.MatchString(s) {
			r.Fail(at, "such as id, or order.id", "%q is no field", s)
		}
		k.Field = s
	}
	k.Optional = !r.Flag(n.Get("required"), "required", true)
	return k
}

func (r *Reader) header(n *document.Node, s string) string {
	if s != "" && !validHeader.MatchString(s) {
		r.Fail(n, "such as X-Request-Id", "%q is no name of a header", s)
	}
	return s
}

func (r *Reader) cors(n *document.Node) *workflow.CORS {
	c := &workflow.CORS{}
	if n.Kind != document.Object {
		c.Origins = r.origins(n)
		return c
	}
	if !r.Fields(n, "cors", language.CORS) {
		return c
	}
	if at := n.Get("origins"); at != nil {
		c.Origins = r.origins(at)
	}
	c.Headers, c.Expose = r.texts(n.Get("headers"), "headers"), r.texts(n.Get("expose"), "expose")
	c.Credentials = r.Flag(n.Get("credentials"), "credentials", false)
	if at := n.Get("max_age"); at != nil {
		c.MaxAge = r.Duration(at, "max_age", true)
	}
	if c.Credentials && slices.Contains(c.Origins, "*") {
		r.Fail(n.Get("credentials"), "name the origins", "browsers send no credentials where any origin may call")
	}
	return c
}

var validOrigin = regexp.MustCompile(`^(\*|https?://[^/\s*?#]+)$`)

func (r *Reader) origins(n *document.Node) []string {
	all := r.texts(n, "origins")
	for _, s := range all {
		if !validOrigin.MatchString(s) {
			r.Fail(n, `such as https://app.example.org, or "*"`, "%q is no origin", s)
		}
	}
	return all
}
