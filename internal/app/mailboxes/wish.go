package mailboxes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"zflow/engine/catalog"
	"zflow/engine/expr"
	"zflow/engine/workflow"
	"zflow/sources/imap"

	"go.uber.org/zap"
)

// wishes are what workflows want of mailboxes.
type wishes struct {
	read    map[string]*wish
	named   map[string]bool // by workflows that are paused, too
	unknown []string        // workflows that cannot be read
}

// wish is what all workflows together want of a mailbox.
type wish struct {
	mailbox imap.Mailbox
	logins  []login
}

// login is a password as a workflow names it, or a connection.
type login struct {
	workflow   string
	vars       map[string]any
	password   *expr.Template // nil: it is the connection's token
	connection string
}

// wanted asks which mailboxes the deployed workflows name.
func (m *Mailboxes) wanted(ctx context.Context) (*wishes, error) {
	entries, err := m.Catalog.List(ctx)
	if err != nil {
		return nil, err
	}
	w := &wishes{read: map[string]*wish{}, named: map[string]bool{}}
	for _, e := range entries {
		def, err := m.Catalog.Workflow(ctx, e.Name, e.Version)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			w.unknown = append(w.unknown, e.Name) // it cannot be run either, which others say
			continue
		}
		w.addAll(def, e.State == catalog.Active, m.Log)
	}
	return w, nil
}

// addAll adds the mailboxes that a workflow names; those of one that is not active are
// not read.
func (w *wishes) addAll(def *workflow.Workflow, active bool, log *zap.Logger) {
	for _, t := range def.Triggers {
		if t.Email == nil || t.Email.IMAP == nil {
			continue
		}
		w.named[t.Email.Name()] = true
		if active {
			w.add(def, t.Email.IMAP, log)
		}
	}
}

// add adds what a workflow wants of a mailbox to what others want of it: it is looked
// into as often as the most impatient asks for.
func (w *wishes) add(def *workflow.Workflow, t *workflow.IMAP, log *zap.Logger) {
	next := login{workflow: def.Name, vars: def.Vars, password: t.Password, connection: t.Connection}
	name := t.Name()
	one := w.read[name]
	if one == nil {
		w.read[name] = &wish{logins: []login{next}, mailbox: imap.Mailbox{
			Name: name, Address: t.Address(), Secure: t.Secure, User: t.User, Folder: t.Folder, Every: t.Every, Since: t.Since, Seen: t.Seen, Move: t.Move,
		}}
		return
	}
	one.logins = append(one.logins, next)
	b := &one.mailbox
	b.Every, b.Since, b.Seen = min(b.Every, t.Every), max(b.Since, t.Since), b.Seen || t.Seen
	switch {
	case b.Move == "":
		b.Move = t.Move
	case t.Move != "" && t.Move != b.Move:
		log.Warn("two workflows want a mailbox's mails in different folders: they go to that of the first", zap.String("mailbox", name),
			zap.String("workflow", def.Name), zap.String("folder", b.Move))
	}
}

// key is the first that there is. A connection that gives no token says why.
func (m *Mailboxes) key(ctx context.Context, r *reading) (imap.Key, error) {
	secrets := map[string]any{}
	for name, value := range m.Secrets() {
		secrets[name] = value
	}
	var missing []string
	var failed error
	for _, l := range *r.logins.Load() {
		if l.password == nil {
			k, err := m.token(ctx, l.connection, r.mailbox.Address)
			if err == nil {
				return k, nil
			}
			failed = err
			continue
		}
		v, err := l.password.Eval(expr.Env{"secrets": secrets, "vars": l.vars}, expr.Clock{Now: time.Now(), Seed: l.workflow})
		if text, isText := v.(string); err == nil && isText && text != "" {
			return imap.Key{Text: text}, nil
		}
		missing = append(missing, l.workflow)
	}
	switch {
	case failed != nil:
		return imap.Key{}, failed
	case len(missing) == 0:
		return imap.Key{}, errors.New("no workflow names it any more")
	}
	return imap.Key{}, fmt.Errorf("the secret that is its password in workflow %s is not in the worker's configuration, or is empty", strings.Join(missing, ", "))
}

func (m *Mailboxes) token(ctx context.Context, connection, server string) (imap.Key, error) {
	if m.Token == nil {
		return imap.Key{}, errors.New("this worker has no connections")
	}
	return m.Token(ctx, connection, server)
}
