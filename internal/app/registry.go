package app

import (
	"context"
	"errors"
	"net/url"

	"zflow/actions"
	"zflow/actions/code"
	"zflow/actions/flow"
	"zflow/actions/http"
	"zflow/actions/log"
	"zflow/actions/zoom"
	"zflow/engine/definition"
	"zflow/internal/described"
	"zflow/internal/public"
	"zflow/internal/settings"
	"zflow/internal/zoomapi"
	"zflow/internal/zoomcatalog"
)

// ActionsConfig is what the actions are made of. The zero value is enough to
// check definitions with.
type ActionsConfig struct {
	HTTPAllow []string // what http.request may call though not public
	HTTP      settings.HTTP
	Requests  *http.Client // what actions call out with; nil: one of its own
	Token     func(ctx context.Context, connection, account string) (zoomapi.Token, error)
	Renew     func(ctx context.Context, refused zoomapi.Token) (zoomapi.Token, error)
	// Credential is what connections of kind http sign with; nil: there are none.
	Credential func(ctx context.Context, connection string) (http.Credential, error)
	Flow       flow.Options  // how emit and respond reach others
	Files      actions.Files // where files are kept; zero: nowhere
	Local      LocalConfig
	Code       code.Options // how code is run; zero: it is not
}

// Actions returns every action there is: this is the one list.
func Actions(c ActionsConfig) (*actions.Registry, error) {
	requests := c.Requests
	if requests == nil {
		var err error
		if requests, err = requestsOf(c); err != nil {
			return nil, err
		}
	}
	if c.Token == nil {
		c.Token = func(context.Context, string, string) (zoomapi.Token, error) {
			return zoomapi.Token{}, errors.New("no connection is configured")
		}
	}
	api := zoomapi.New(zoomapi.Options{Token: c.Token, Renew: c.Renew})
	all := append(zoom.Actions(api), requests.Action(), log.Action())
	all = append(append(all, flow.Actions(c.Flow)...), code.Action(c.Code))
	family, err := described.Family(requests)
	if err != nil {
		return nil, err
	}
	all = append(all, family...)
	all = append(all, localActions(c)...)
	return actions.NewRegistry(all...)
}

// requestsOf is what actions call out with.
func requestsOf(c ActionsConfig) (*http.Client, error) {
	o := http.Options{Allow: c.HTTPAllow, MaxFile: int64(c.HTTP.MaxFile), Files: c.Files, Credential: c.Credential, Certificates: map[string]http.Certificate{}}
	if c.HTTP.Proxy != "" {
		at, err := url.Parse(c.HTTP.Proxy)
		if err != nil {
			return nil, errors.New("reading http.proxy: it is no address")
		}
		o.Proxy = at
	}
	for name, one := range c.HTTP.Certificates {
		o.Certificates[name] = http.Certificate{File: one.Certificate, Key: one.Key}
	}
	return http.New(o)
}

// Known is what definitions may refer to: these actions, Zoom's events, and the
// connections that there are, with their kinds (nil: any).
func Known(r *actions.Registry, connection func(name string) (string, bool)) definition.Known {
	return definition.Known{Actions: r, EventType: func(name string) (bool, string) {
		if zoomcatalog.Known(name) {
			return true, ""
		}
		return false, zoomcatalog.Suggest(name)
	}, Event: (&eventTypes{}).of, Connection: connection, Bundle: newScripts().of, Describe: described.With(checking()), Runs: runsAt(public.Site{})}
}
