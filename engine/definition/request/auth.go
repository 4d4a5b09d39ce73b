package request

import (
	"strings"
	"time"

	"zflow/engine/definition/document"
	"zflow/engine/definition/form"
	"zflow/engine/definition/language"
	"zflow/engine/expr"
	"zflow/engine/workflow"
)

// presets are how well-known senders sign.
var presets = map[string]workflow.Signature{
	"github": {Preset: "github", Header: "X-Hub-Signature-256", Algorithm: "sha256", Encoding: "hex", Prefix: "sha256=", Signed: "{body}"},
	"slack": {Preset: "slack", Header: "X-Slack-Signature", Algorithm: "sha256", Encoding: "hex", Prefix: "v0=", Signed: "v0:{timestamp}:{body}",
		Timestamp: "X-Slack-Request-Timestamp", Tolerance: tolerance},
	"stripe": {Preset: "stripe", Header: "Stripe-Signature", Algorithm: "sha256", Encoding: "hex", Signed: "{timestamp}.{body}",
		Timestamp: "Stripe-Signature", Tolerance: tolerance},
	"standard_webhooks": {Preset: "standard_webhooks", Header: "Webhook-Signature", Algorithm: "sha256", Encoding: "base64", Prefix: "v1,",
		Signed: "{id}.{timestamp}.{body}", Timestamp: "Webhook-Timestamp", ID: "Webhook-Id", Tolerance: tolerance},
}

// presetKeys are where their requests have an id; one of a test may lack it.
var presetKeys = map[string]workflow.RequestKey{
	"github":            {Header: "X-GitHub-Delivery", Optional: true},
	"slack":             {Field: "event_id", Optional: true},
	"stripe":            {Field: "id", Optional: true},
	"standard_webhooks": {Header: "Webhook-Id", Optional: true},
}

func preset(a *workflow.Auth) string {
	if a.Signature == nil {
		return ""
	}
	return a.Signature.Preset
}

// tolerance is how far a signature's time may be from now.
const tolerance = 5 * time.Minute

func (r *Reader) auth(n *document.Node) workflow.Auth {
	a := workflow.Auth{Kind: workflow.AuthNone}
	if n.Kind != document.Object {
		if s := r.Text(n, "auth"); s != "" && s != "none" {
			r.Fail(n, authHint(s), "auth cannot be %s", s)
		}
		return a
	}
	if !r.Fields(n, "auth", language.Auth) {
		return a
	}
	has := form.Present(n, language.Auths)
	switch {
	case len(has) == 0:
		if !form.Excused(n, language.Auths, language.Auth) {
			r.Fail(n, "", "auth needs the key %s", form.AnyOf(language.Auths))
		}
		return a
	case len(has) > 1:
		r.Fail(n.KeyOf(has[1]), "", "auth has either %s or %s", has[0], has[1])
	}
	a.Kind = workflow.AuthKind(has[0])
	at := n.Get(has[0])
	switch a.Kind {
	case workflow.AuthBearer:
		a.Secrets = r.secrets(at, "bearer")
	case workflow.AuthBasic:
		r.basic(at, &a)
	default:
		r.hmac(at, &a)
	}
	return a
}

func authHint(s string) string {
	switch s {
	case "bearer":
		return `write { bearer: "${{ secrets.name }}" }`
	case "basic":
		return `write { basic: { user: zflow, password: "${{ secrets.name }}" } }`
	}
	if _, known := presets[s]; known || s == "hmac" {
		return `write { hmac: { preset: github, secret: "${{ secrets.name }}" } }`
	}
	return form.Suggestion(s, append([]string{"none"}, language.Auths...))
}

func (r *Reader) basic(n *document.Node, a *workflow.Auth) {
	if !r.Fields(n, "basic", language.Basic) {
		return
	}
	if at := n.Get("user"); at != nil {
		if s := r.Text(at, "user"); s != "" {
			a.User = r.Template(at, s)
		}
	}
	if at := n.Get("password"); at != nil {
		a.Secrets = r.secrets(at, "password")
	}
}

// secrets reads one, or several while one is being replaced.
func (r *Reader) secrets(n *document.Node, what string) (all []*expr.Template) {
	for _, i := range r.list(n, what) {
		switch s := r.Text(i, what); {
		case s == "":
		case !strings.Contains(s, "secrets") || !expr.Contains(s):
			r.Fail(i, `write "${{ secrets.name }}": its value stands in the configuration`, "%s is a secret, which does not stand in a workflow", what)
		default:
			all = append(all, r.Template(i, s))
		}
	}
	return all
}

func (r *Reader) hmac(n *document.Node, a *workflow.Auth) {
	s := workflow.Signature{Algorithm: "sha256", Encoding: "hex", Tolerance: tolerance}
	a.Signature = &s
	if !r.Fields(n, "hmac", language.HMAC) {
		return
	}
	if at := n.Get("secret"); at != nil {
		a.Secrets = r.secrets(at, "secret")
	}
	if at := n.Get("preset"); at != nil {
		s = presets[r.OneOf(at, "preset", language.Presets)]
		r.presetAlone(n)
		if at := n.Get("tolerance"); at != nil && s.Timestamp != "" {
			s.Tolerance = r.Duration(at, "tolerance", true)
		}
		return
	}
	r.own(n, &s)
}

// presetAlone reports what a preset says itself.
func (r *Reader) presetAlone(n *document.Node) {
	for _, name := range []string{"header", "algorithm", "encoding", "prefix", "signed", "timestamp"} {
		if n.Get(name) != nil {
			r.Fail(n.KeyOf(name), "leave one of them out", "the preset says what %s is", name)
		}
	}
}

// own reads a signature of the sender's own form.
func (r *Reader) own(n *document.Node, s *workflow.Signature) {
	at := n.Get("header")
	if at == nil {
		r.Fail(n, "such as X-Signature", "hmac needs the key header, or a preset: %s", strings.Join(language.Presets, ", "))
		return
	}
	s.Header = r.header(at, r.Text(at, "header"))
	if at := n.Get("algorithm"); at != nil {
		s.Algorithm = r.OneOf(at, "algorithm", language.Algorithms)
	}
	if at := n.Get("encoding"); at != nil {
		s.Encoding = r.OneOf(at, "encoding", language.Encodings)
	}
	s.Prefix = r.Text(n.Get("prefix"), "prefix")
	if at := n.Get("timestamp"); at != nil {
		s.Timestamp = r.header(at, r.Text(at, "timestamp"))
	}
	s.Signed = "{body}"
	if s.Timestamp != "" {
		s.Signed = "{timestamp}.{body}"
	}
	if at := n.Get("signed"); at != nil {
		s.Signed = r.signed(at, s.Timestamp != "")
	}
	if at := n.Get("tolerance"); at != nil {
		if s.Tolerance = r.Duration(at, "tolerance", true); s.Timestamp == "" {
			r.Fail(n.KeyOf("tolerance"), "add timestamp: the header that has it", "without a timestamp nothing is too old")
		}
	}
}

// signed reads the form of what is signed.
func (r *Reader) signed(n *document.Node, stamped bool) string {
	s := r.Text(n, "signed")
	rest := strings.NewReplacer("{body}", "", "{timestamp}", "").Replace(s)
	switch {
	case s == "":
	case !strings.Contains(s, "{body}"):
		r.Fail(n, `such as "{timestamp}.{body}"`, "what is signed has no {body}: anybody could change it")
	case strings.Contains(s, "{timestamp}") != stamped:
		r.Fail(n, "name its header in timestamp, and let it be signed", "a timestamp is of use if it is signed too")
	case strings.ContainsAny(rest, "{}"):
		r.Fail(n, "there is {body} and {timestamp}", "signed has other names in braces")
	}
	return s
}
