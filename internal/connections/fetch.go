package connections

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"zflow/internal/zoomapi"
)

// fetch gets a new token from Zoom, which voids the last.
func (s *Store) fetch(ctx context.Context, app App) (record, *zoomapi.Error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	config := clientcredentials.Config{
		ClientID:     app.ClientID,
		ClientSecret: app.ClientSecret,
		TokenURL:     cmp.Or(app.OAuth, s.tokenURL),
		AuthStyle:    oauth2.AuthStyleInHeader,
		EndpointParams: url.Values{
			"grant_type": {"account_credentials"},
			"account_id": {app.AccountID},
		},
	}
	asked := time.Now()
	token, err := config.Token(context.WithValue(ctx, oauth2.HTTPClient, s.http))
	if err != nil {
		return record{}, app.failure(err)
	}
	life := 10 * time.Minute // where Zoom does not say
	if !token.Expiry.IsZero() {
		life = time.Until(token.Expiry).Round(time.Second)
	}
	api, _ := token.Extra("api_url").(string)
	scopes, _ := token.Extra("scope").(string)
	return record{
		Access: token.AccessToken, App: app.id(), Made: asked,
		Until: asked.Add(life - min(life/12, 5*time.Minute)), Expires: asked.Add(life),
		API: api, Scopes: strings.Fields(scopes),
	}, nil
}

// failure says why there is no token: the credentials, which only a person can
// mend, or the way to Zoom.
func (a App) failure(err error) *zoomapi.Error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) || answer.Response == nil {
		return unreachable("fetching a token for connection %s: %s", a.Name, cause(err))
	}
	p, _ := zoomapi.ReadProblem(answer.Body)
	reason := strings.ReplaceAll(p.Text(), a.ClientSecret, "••••")
	if reason == "" {
		reason = "Zoom answered " + strings.ToLower(answer.Response.Status)
	}
	status := answer.Response.StatusCode
	e := refused("connection %s: Zoom gives it no token (%s): check its account id, client id and secret, and that its app is active, then connect again", a.Name, reason)
	if status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500 {
		e = unreachable("fetching a token for connection %s: %s", a.Name, reason)
		e.RetryAt = zoomapi.RetryAfter(answer.Response.Header, time.Now())
	}
	e.Status, e.Code = status, p.CodeText()
	if e.Code == "" {
		e.Code = answer.ErrorCode
	}
	return e
}

// cause leaves out the address, which net/http puts before it.
func cause(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	return err.Error()
}
