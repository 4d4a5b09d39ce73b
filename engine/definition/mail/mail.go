// Package mail reads the trigger email of a definition.
package mail

import (
	"net"
	"regexp"
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
	// Template compiles a text that may name secrets and vars.
	Template func(n *document.Node, text string) *expr.Template
}

const (
	usualEvery = time.Minute
	leastEvery = 10 * time.Second
	mostEvery  = 24 * time.Hour
	mostSince  = 365 * 24 * time.Hour
	longest    = 255 // of a host, a user and a folder
)

var (
	validMailbox = regexp.MustCompile(language.MailboxPattern)
	validHost    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
)

// Email reads the trigger.
func (r *Reader) Email(n *document.Node) *workflow.Email {
	e := &workflow.Email{}
	if n.Kind != document.Object {
		e.Mailbox = r.mailbox(n)
		return e
	}
	if !r.Fields(n, "email", language.Email) {
		return e
	}
	e.Automatic = r.Flag(n.Get("automatic"), "automatic", false)
	switch r.either(n, "email", language.Mails, language.Email, "make it two triggers") {
	case "imap":
		e.IMAP = r.imap(n.Get("imap"))
	case "mailbox":
		e.Mailbox = r.mailbox(n.Get("mailbox"))
	}
	return e
}

// mailbox reads the part of an address before the @.
func (r *Reader) mailbox(n *document.Node) string {
	s := r.Text(n, "a mailbox")
	local, domain, whole := strings.Cut(s, "@")
	switch {
	case s == "" || validMailbox.MatchString(s):
	case whole && validMailbox.MatchString(local):
		r.Fail(n, "write "+local+": which domains are received, the configuration says", "%q has the domain %s", s, domain)
	case validMailbox.MatchString(strings.ToLower(s)):
		r.Fail(n, "write "+strings.ToLower(s), "%q has capitals, which mailboxes are found without", s)
	default:
		r.Fail(n, "such as desk, for desk@ your domain", "%q is no mailbox", s)
	}
	return s
}

func (r *Reader) imap(n *document.Node) *workflow.IMAP {
	m := &workflow.IMAP{Folder: "INBOX", Secure: "implicit", Every: usualEvery}
	if !r.Fields(n, "imap", language.IMAP) {
		return m
	}
	r.server(m, n)
	if at := n.Get("user"); at != nil {
		m.User = r.plain(at, "user")
	}
	r.login(m, n)
	if at := n.Get("folder"); at != nil {
		m.Folder = r.folder(at, "folder")
	}
	if at := n.Get("every"); at != nil {
		m.Every = r.within(at, "every", leastEvery, mostEvery)
	}
	if at := n.Get("since"); at != nil {
		m.Since = r.within(at, "since", time.Second, mostSince)
	}
	if at := n.Get("mark"); at != nil {
		m.Seen = r.OneOf(at, "mark", language.Marks) == "seen"
	}
	if at := n.Get("move"); at != nil {
		if m.Move = r.folder(at, "move"); m.Move != "" && m.Move == m.Folder {
			r.Fail(at, "name another", "move is the folder that is looked into")
		}
	}
	return m
}

// login reads what the mailbox is opened with.
func (r *Reader) login(m *workflow.IMAP, n *document.Node) {
	switch r.either(n, "imap", language.Logins, language.IMAP, "leave one of them out") {
	case "connection":
		m.Connection = r.plain(n.Get("connection"), "connection")
	case "password":
		m.Password = r.password(n.Get("password"))
	}
}

// either returns which one of some keys an object has; empty where it is not one, which
// is reported, with how to mend that there are more.
func (r *Reader) either(n *document.Node, what string, names []string, table map[string]language.Key, mend string) string {
	has := form.Present(n, names)
	switch {
	case len(has) == 1:
		return has[0]
	case len(has) > 1:
		r.Fail(n.KeyOf(has[1]), mend, "%s has either %s or %s", what, has[0], has[1])
	case !form.Excused(n, names, table):
		r.Fail(n, "", "%s needs the key %s", what, form.AnyOf(names))
	}
	return ""
}

// server reads where the mailbox is.
func (r *Reader) server(m *workflow.IMAP, n *document.Node) {
	if at := n.Get("tls"); at != nil {
		m.Secure = r.OneOf(at, "tls", language.Secures)
	}
	if at := n.Get("port"); at != nil {
		m.Port = r.Count(at, "port", language.MostPort)
	}
	at := n.Get("host")
	if at == nil {
		return
	}
	m.Host = strings.ToLower(strings.TrimSuffix(r.plain(at, "host"), "."))
	switch host, port, err := net.SplitHostPort(m.Host); {
	case m.Host == "":
	case strings.Contains(m.Host, "://"):
		r.Fail(at, "such as imap.example.org", "host is a name, without a scheme")
	case err == nil && validHost.MatchString(host):
		r.Fail(at, "write host: "+host+" and port: "+port, "host has a port in it")
	case !validHost.MatchString(m.Host) && net.ParseIP(m.Host) == nil:
		r.Fail(at, "such as imap.example.org", "%q is no name of a host", m.Host)
	case m.Secure == "none" && m.Host != "localhost" && !loopback(m.Host):
		r.Warn(at, "use implicit or starttls", "without TLS everybody on the way can read the password and the mails")
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// plain reads a text that names the mailbox: known when the workflow is deployed.
func (r *Reader) plain(n *document.Node, what string) string {
	s := r.Text(n, what)
	switch {
	case expr.Contains(s):
		r.Fail(n, "write it out; for each environment an overlay can have another", "%s is known when the workflow is deployed: no expression", what)
	case len(s) > longest:
		r.Fail(n, "", "%s is longer than %d characters", what, longest)
	case strings.ContainsFunc(s, control):
		r.Fail(n, "", "%s has a control character in it", what)
	default:
		return s
	}
	return ""
}

func control(c rune) bool { return c < ' ' || c == 0x7f || c == 0xfffd }

func (r *Reader) folder(n *document.Node, what string) string {
	s := r.plain(n, what)
	if strings.ContainsAny(s, "*%") {
		r.Fail(n, "such as INBOX, or Archive/2026", "%s is one folder: * and %% stand for several", what)
	}
	if strings.EqualFold(s, "INBOX") {
		return "INBOX" // in whatever case it is the same
	}
	return s
}

func (r *Reader) password(n *document.Node) *expr.Template {
	switch s := r.Text(n, "password"); {
	case s == "":
	case !strings.Contains(s, "secrets") || !expr.Contains(s):
		r.Fail(n, `write "${{ secrets.name }}": its value stands in the configuration`, "password is a secret, which does not stand in a workflow")
	default:
		return r.Template(n, s)
	}
	return nil
}

func (r *Reader) within(n *document.Node, what string, least, most time.Duration) time.Duration {
	d := r.Duration(n, what, true)
	if d > 0 && (d < least || d > most) {
		r.Fail(n, "", "%s is from %s to %s", what, written(least), written(most))
	}
	return d
}

func written(d time.Duration) string {
	if d >= 24*time.Hour {
		return strings.TrimSuffix((d/24).String(), "h0m0s") + "d"
	}
	return d.String()
}
