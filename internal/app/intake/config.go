package intake

import (
	"time"

	"zflow/internal/app/link"
	"zflow/internal/durable"
	"zflow/internal/settings"
	"zflow/sources"
	"zflow/sources/email"
	"zflow/sources/http"
	"zflow/sources/zoom"
)

// ConfigOf returns the part of a configuration that ingest needs.
func ConfigOf(c *settings.Config) Config {
	in := Config{
		Listen: c.Ingest.Listen, MetricsListen: c.Ingest.MetricsListen,
		SealKey:      c.Ingest.PublicKey.String(),
		Verification: c.Ingest.Verification.String(), TLS: c.Ingest.TLS,
		MaxBody: int64(c.Ingest.Limits.MaxBody),
		Triggers: Triggers{HTTP: http.Limits{Upload: int64(c.Ingest.Limits.MaxUpload), Waiting: c.Ingest.Limits.Waiting}, Mail: Mail{Listen: c.Ingest.SMTP.Listen, Name: c.Ingest.SMTP.Name, Domains: c.Ingest.SMTP.Domains,
			Limits: email.Limits{Size: int64(c.Ingest.SMTP.MaxSize), Recipients: c.Ingest.SMTP.MaxRecipients, Connections: c.Ingest.SMTP.Connections, Each: c.Ingest.SMTP.PerAddress, Rate: c.Ingest.SMTP.PerSecond}}},
		Past:   time.Duration(c.Ingest.Limits.Window),
		Future: time.Duration(c.Ingest.Limits.FutureSkew),
		Limits: sources.Limits{MaxAge: time.Duration(c.Streams.EventsAge), MaxBytes: int64(c.Streams.EventsBytes),
			Replicas: c.Streams.Replicas},
		Beside: int64(c.Streams.RunsBytes + c.Streams.WakesBytes),
		NATS:   NATS{URL: c.NATS.URL, Creds: c.NATS.Creds, Options: link.Login(c.NATS)},
	}
	if c.NATS.Durability != settings.DurabilityAuto {
		in.NATS.Declared = durable.Mode(c.NATS.Durability)
	}
	for name, a := range c.Ingest.Apps {
		app := zoom.App{Name: name, User: a.Basic.User, Password: a.Basic.Password.Reveal(),
			Header: a.Header.Name, Value: a.Header.Value.Reveal()}
		for _, s := range a.Secrets {
			app.Secrets = append(app.Secrets, s.Reveal())
		}
		in.Apps = append(in.Apps, app)
	}
	return in
}
