package app

import (
	"context"
	"errors"

	"zflow/actions"
	"zflow/actions/code"
	"zflow/actions/http"
	"zflow/internal/app/accounts"
	"zflow/internal/connections"
	"zflow/internal/zoomapi"
)

// finder finds what a connection of kind http signs with.
type finder func(ctx context.Context, connection string) (connections.Credential, error)

// credentialsOf is a finder as actions ask it.
func credentialsOf(find finder) func(context.Context, string) (http.Credential, error) {
	return func(ctx context.Context, connection string) (http.Credential, error) {
		return asked(find(ctx, connection))
	}
}

func asked(c connections.Credential, err error) (http.Credential, error) {
	if err != nil {
		return http.Credential{}, failed(err)
	}
	out := http.Credential{Hosts: c.Hosts, Token: c.Token, Headers: c.Headers, Query: c.Query}
	if c.Renew != nil {
		out.Renew = func(ctx context.Context) (http.Credential, error) { return asked(c.Renew(ctx)) }
	}
	return out, nil
}

// failed says in the words of actions why a connection gives no token.
func failed(err error) error {
	var e *zoomapi.Error
	if !errors.As(err, &e) {
		return err
	}
	out := actions.Final("%s", e.Message).With(e.Status, e.Code)
	if out.RetryAt = e.RetryAt; e.Outcome == zoomapi.Again {
		out.Class = actions.ClassRetryable
	}
	return out
}

// servicesOf is how a worker reaches the servers that give out tokens of other services,
// and tries their connections: under the rules of all requests.
func servicesOf(c WorkerConfig) (connections.Services, error) {
	client, err := requestsOf(ActionsConfig{HTTPAllow: c.HTTPAllow, HTTP: c.HTTP})
	if err != nil {
		return connections.Services{}, err
	}
	try := func(ctx context.Context, address string, with connections.Credential) error {
		return client.Try(ctx, address, http.Credential{Hosts: with.Hosts, Token: with.Token, Headers: with.Headers, Query: with.Query})
	}
	return connections.Services{Transport: client.Transport(), Try: try}, nil
}

// connectionOf is what code gets of a connection.
func connectionOf(ctx context.Context, from *accounts.Accounts, name string) (code.Connection, error) {
	r, err := from.Show(ctx, name)
	if err != nil {
		return code.Connection{}, failed(err)
	}
	if r.Kind == connections.KindHTTP {
		c, err := from.Credential(ctx, name)
		if err != nil {
			return code.Connection{}, failed(err)
		}
		return code.Connection{Name: name, Token: c.Token, AccessToken: c.Token, Headers: c.Headers, Query: c.Query, Hosts: c.Hosts}, nil
	}
	t, err := from.Token(ctx, name, "")
	if err != nil {
		return code.Connection{}, failed(err)
	}
	return code.Connection{Name: name, Token: t.Access, AccessToken: t.Access, APIURL: t.Address(),
		Headers: map[string]string{"Authorization": "Bearer " + t.Access}}, nil
}
