package app

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/app/accounts"
	"zflow/internal/app/link"
	"zflow/internal/connections"
	"zflow/internal/durable"
	"zflow/internal/operator"
	"zflow/internal/operator/doctor"
	"zflow/internal/settings"
)

// DoctorConfig says what is examined.
type DoctorConfig struct {
	URL        string // of the server; empty: that of Config
	Creds      string
	Durability string
	Metrics    string           // URL of ingest's metrics; empty: not examined
	Config     *settings.Config // of the processes; nil: not known
}

// NewDoctor returns a doctor for a server and, where their configuration is
// known, the processes on it.
func NewDoctor(c DoctorConfig) (doctor.Doctor, error) {
	registry, err := Actions(ActionsConfig{})
	if err != nil {
		return doctor.Doctor{}, err
	}
	cc, err := c.client()
	if err != nil {
		return doctor.Doctor{}, err
	}
	cc.Known = Known(registry, nil)
	d := doctor.Doctor{
		Dial: func(ctx context.Context) (*nats.Conn, error) { return link.Dial(ctx, cc.Config) },
		Open: func(ctx context.Context, nc *nats.Conn) (*operator.Operator, error) {
			client, err := OpenOn(ctx, nc, cc)
			if err != nil {
				return nil, err
			}
			return client.Operator(), nil
		},
		Declared: cc.Declared, Metrics: c.Metrics, Zoom: askZoom, Code: askCode, Scopes: scopesOf(registry),
	}
	if c.Config != nil {
		c.processes(&d)
	}
	return d, nil
}

func (c DoctorConfig) client() (ClientConfig, error) {
	if c.URL == "" && c.Config != nil {
		cc := clientConfig(c.Config, "zflow doctor")
		cc.Wait = false
		return cc, nil
	}
	return commandConfig(c.URL, c.Creds, c.Durability)
}

// processes adds what only their configuration tells.
func (c DoctorConfig) processes(d *doctor.Doctor) {
	d.Replicas = c.Config.Streams.Replicas
	d.Apps = []doctor.App{}
	for _, name := range slices.Sorted(maps.Keys(c.Config.Ingest.Apps)) {
		d.Apps = append(d.Apps, doctor.App{Name: name, Secrets: len(c.Config.Ingest.Apps[name].Secrets)})
	}
	d.Connections = slices.Sorted(maps.Keys(c.Config.Connections))
	if c.Config.Worker.SealingKeysFile != "" {
		d.Token = c.token
	}
}

// token gets a connection's token as a worker does: the one that all share, or
// the next, stored for all.
func (c DoctorConfig) token(ctx context.Context, gate *durable.Gate, js jetstream.JetStream, name string) error {
	grants, err := connections.LoadOrCreateKeyring(accounts.KeysFile(c.Config.Worker.SealingKeysFile))
	if err != nil {
		return fmt.Errorf("the workers' keys cannot be read here: %w", err)
	}
	all, err := accounts.Connections(ctx, js, accounts.Config{Config: c.Config, Grants: grants, Gate: gate})
	if err != nil {
		return err
	}
	defer all.Close()
	_, err = all.Token(ctx, name, "")
	return err
}
