package routes

import (
	nethttp "net/http"
	"time"

	"go.uber.org/zap"

	"zflow/engine/workflow"
	"zflow/sources/http"
)

// Caller is somebody who sends requests to a trigger, in a test of its workflow.
type Caller struct {
	Workflow *workflow.Workflow
	Trigger  *workflow.HTTP
	Secrets  map[string]string // by name, readable
	Secret   string            // that the caller has; empty: the trigger's own
}

func (c *Caller) desk() *Desk {
	return &Desk{Options: Options{Secrets: func() map[string]string { return c.Secrets }, Log: zap.NewNop()}}
}

// Route is the trigger's as ingest gets it.
func (c *Caller) Route() http.Route { return c.desk().route(c.Workflow, c.Trigger, false) }

// Introduce gives a request with this body what it is known by.
func (c *Caller) Introduce(r *nethttp.Request, body []byte) (err error) {
	a := &c.Trigger.Auth
	if a.Kind == workflow.AuthNone {
		return nil
	}
	secret := c.Secret
	if secret == "" {
		if secret, err = c.desk().secret(c.Workflow, a.Secrets[0]); err != nil {
			return err
		}
	}
	switch a.Kind {
	case workflow.AuthBearer:
		r.Header.Set("Authorization", "Bearer "+secret)
	case workflow.AuthBasic:
		user, err := c.desk().secret(c.Workflow, a.User)
		if err != nil {
			return err
		}
		r.SetBasicAuth(user, secret)
	case workflow.AuthHMAC:
		key, err := http.SigningKey(a.Signature, secret)
		if err != nil {
			return err
		}
		http.Sign(a.Signature, r.Header, key, body, time.Now())
	}
	return nil
}
