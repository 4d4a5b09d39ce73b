package app

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/actions"
	"zflow/actions/crypto"
	"zflow/actions/csv"
	keeping "zflow/actions/data"
	"zflow/actions/email"
	"zflow/actions/exec"
	"zflow/actions/file"
	"zflow/actions/log"
	"zflow/actions/nats"
	"zflow/actions/text"
	"zflow/engine/blobs"
	"zflow/engine/data"
	"zflow/internal/durable"
	"zflow/internal/settings"
)

// LocalConfig is what actions work on that call nobody outside. Zero: they refuse.
type LocalConfig struct {
	Data   *data.Store
	JS     jetstream.JetStream               // of the server that messages go to
	Worker settings.Worker                   // its folders, programs and mail server
	Reveal func(text string) (string, error) // opens what is sealed
}

// localActions are those that work on this side of the network.
func localActions(c ActionsConfig) []*actions.Action {
	all := keeping.Actions(c.Local.Data)
	all = append(all, file.Actions(file.Options{Folders: c.Local.Worker.Folders, Files: c.Files, MaxFile: int64(c.HTTP.MaxFile)})...)
	all = append(all, csv.Actions(csv.Options{Files: c.Files, MaxFile: int64(c.HTTP.MaxFile)})...)
	o := nats.Options{JS: c.Local.JS, Reveal: c.Local.Reveal}
	if o.JS != nil {
		o.Conn = o.JS.Conn()
	}
	all = append(all, nats.Actions(o)...)
	all = append(all, crypto.Actions(c.Files)...)
	return append(all, exec.Action(programsOf(c)), text.Action(), email.Action(mailsOf(c)))
}

// InnerActions are those that reach nothing outside of zflow, on a server: for tests of
// workflows, which call them as they are.
func InnerActions(ctx context.Context, js jetstream.JetStream, gate *durable.Gate) ([]*actions.Action, error) {
	store, err := data.Open(ctx, js, gate)
	if err != nil {
		return nil, err
	}
	kept, err := blobs.Open(ctx, js, gate)
	if err != nil {
		return nil, err
	}
	files := FilesIn(kept)
	all := append(keeping.Actions(store), csv.Actions(csv.Options{Files: files})...)
	all = append(all, crypto.Actions(files)...)
	return append(all, text.Action(), log.Action()), nil
}

func mailsOf(c ActionsConfig) email.Options {
	m := c.Local.Worker.SMTP
	return email.Options{Host: m.Host, Port: m.Port, User: m.User, Password: m.Password.Reveal(), From: m.From, TLS: m.TLS,
		MaxSize: int64(m.MaxSize), PerRecipient: m.PerRecipient, Window: time.Duration(m.Window), Files: c.Files}
}

func programsOf(c ActionsConfig) exec.Options {
	o := exec.Options{Files: c.Files, Reveal: c.Local.Reveal, Programs: map[string]exec.Program{}}
	for name, p := range c.Local.Worker.Exec {
		o.Programs[name] = exec.Program{
			Path: p.Path, Args: p.Args, Timeout: time.Duration(p.Timeout), Memory: int64(p.Memory), Processes: p.Processes, Effect: actions.Effect(p.Effect),
		}
	}
	return o
}

// localOn is what these actions work on at a server.
func localOn(ctx context.Context, js jetstream.JetStream, gate *durable.Gate, w WorkerConfig) (c LocalConfig, err error) {
	c.JS, c.Worker, c.Reveal = js, w.Worker, w.Keys.OpenText
	c.Data, err = data.Open(ctx, js, gate)
	return c, err
}

// Data opens what steps keep.
func (c *Client) Data(ctx context.Context) (*data.Store, error) {
	s, err := data.Open(ctx, c.JS, c.Gate)
	return s, notSetUp(err)
}

// folderOf gives actions a folder files below another, where the configuration
// names none.
func folderOf(c *settings.Config, below string) error {
	if len(c.Worker.Folders) > 0 {
		return nil
	}
	dir, err := filepath.Abs(filepath.Join(below, "files"))
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	c.Worker.Folders = map[string]string{"files": dir}
	return err
}
