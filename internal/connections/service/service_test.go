package service_test

import (
	"fmt"
	"strings"
	"testing"

	"zflow/internal/connections/service"
)

// Each preset is whole for each way that it has.
func TestPresets(t *testing.T) {
	for _, name := range service.Presets() {
		ways := 0
		for _, auth := range []string{"", service.OAuth2} {
			s, err := service.Complete(service.Service{Preset: name, Auth: auth}, nil)
			if auth != "" && err != nil && strings.Contains(err.Error(), "knows no OAuth 2") {
				continue
			}
			if err == nil {
				err = s.Check()
			}
			if err != nil || auth != "" && s.Auth != auth || s.Name() != name {
				t.Errorf("%s %s: %+v, %v", name, auth, s, err)
			}
			for _, address := range append([]string{s.TestURL}, addresses(s.OAuth)...) {
				if address != "" && !strings.HasPrefix(address, "https://") {
					t.Errorf("%s: %s", name, address)
				}
			}
			ways++
		}
		if ways == 0 {
			t.Errorf("%s: it can be used in no way", name)
		}
	}
}

func addresses(o *service.OAuth) []string {
	if o == nil {
		return nil
	}
	return []string{o.AuthorizeURL, o.TokenURL, o.RevokeURL}
}

// What is said goes before the preset, and that before what was there.
func TestComplete(t *testing.T) {
	old := &service.Service{Preset: "crm", Auth: service.OAuth2, Hosts: []string{"a.example"}, TestURL: "https://a.example/me",
		OAuth: &service.OAuth{Grant: service.Code, AuthorizeURL: "https://a.example/a", TokenURL: "https://a.example/t", Scopes: []string{"x"}, NoRefresh: true}}
	for name, c := range map[string]struct {
		given service.Service
		old   *service.Service
		want  string
	}{
		"nothing":          {service.Service{}, nil, "bearer [] "},
		"by name":          {service.Service{}, old, "oauth2 [a.example] https://a.example/me authorization_code https://a.example/t [x] false"},
		"another scope":    {service.Service{OAuth: &service.OAuth{Scopes: []string{"y"}}}, old, "oauth2 [a.example] https://a.example/me authorization_code https://a.example/t [y] false"},
		"another way":      {service.Service{Auth: service.Bearer}, old, "bearer [a.example] https://a.example/me"},
		"preset":           {service.Service{Preset: "openai"}, old, "bearer [api.openai.com] https://api.openai.com/v1/models"},
		"preset elsewhere": {service.Service{Preset: "openai", Hosts: []string{"llm.example"}}, nil, "bearer [llm.example] "},
		"preset by client": {service.Service{Preset: "github", OAuth: &service.OAuth{Scopes: []string{"gist"}}}, nil,
			"oauth2 [api.github.com uploads.github.com] https://api.github.com/rate_limit authorization_code https://github.com/login/oauth/access_token [gist] false"},
		"no such preset": {service.Service{Preset: "nobody"}, nil, `there is no preset "nobody": there are airtable,`},
		"no OAuth":       {service.Service{Preset: "openai", Auth: service.OAuth2}, nil, "the preset openai knows no OAuth 2"},
	} {
		s, err := service.Complete(c.given, c.old)
		got := fmt.Sprint(s.Auth, " ", s.Hosts, " ", s.TestURL)
		if o := s.OAuth; o != nil {
			got += fmt.Sprint(" ", o.Grant, " ", o.TokenURL, " ", o.Scopes, " ", o.NoRefresh)
		}
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
	if !old.OAuth.NoRefresh {
		t.Error("it changed what was there")
	}
}

// What cannot be a service has one error each.
func TestCheck(t *testing.T) {
	good := service.Service{Auth: service.Bearer, Hosts: []string{"api.crm.example"}}
	for name, c := range map[string]struct {
		change func(*service.Service)
		want   string
	}{
		"good": {func(*service.Service) {}, ""},
		"port": {func(s *service.Service) {
			s.Hosts = []string{"api.crm.example:8443", "127.0.0.1:80", "[::1]:80", "::1", "localhost"}
		}, ""},
		"below":          {func(s *service.Service) { s.Hosts = []string{"*.crm.example"} }, ""},
		"no host":        {func(s *service.Service) { s.Hosts = nil }, "no host"},
		"all hosts":      {func(s *service.Service) { s.Hosts = []string{"*"} }, `"*" is no host`},
		"a whole domain": {func(s *service.Service) { s.Hosts = []string{"*.com"} }, `"*.com" is no host`},
		"address":        {func(s *service.Service) { s.Hosts = []string{"https://crm.example/"} }, "without https://"},
		"upper case":     {func(s *service.Service) { s.Hosts = []string{"CRM.example"} }, "is no host"},
		"user":           {func(s *service.Service) { s.Hosts = []string{"me@crm.example"} }, "is no host"},
		"way":            {func(s *service.Service) { s.Auth = "digest" }, `auth "digest" is none of bearer,`},
		"prefix":         {func(s *service.Service) { s.Prefix = "a\r\nHost: b" }, "prefix"},
		"test":           {func(s *service.Service) { s.TestURL = "crm.example" }, "the test URL"},
		"no user":        {func(s *service.Service) { s.Auth = service.Basic }, "--username"},
		"colon":          {func(s *service.Service) { s.Auth, s.User = service.Basic, "a:b" }, "--username"},
		"no field":       {func(s *service.Service) { s.Auth = service.Header }, "--field"},
		"Host":           {func(s *service.Service) { s.Auth, s.Field = service.Header, "Host" }, "name of the header"},
		"parameter":      {func(s *service.Service) { s.Auth, s.Field = service.Query, "a b" }, "name of the parameter"},
		"no addresses":   {func(s *service.Service) { s.Auth, s.OAuth = service.OAuth2, &service.OAuth{Grant: service.Code} }, "--token-url"},
		"no consent page": {func(s *service.Service) {
			s.Auth, s.OAuth = service.OAuth2, &service.OAuth{Grant: service.Code, TokenURL: "https://a.example/t"}
		}, "--authorize-url"},
		"unknown grant": {func(s *service.Service) { s.Auth, s.OAuth = service.OAuth2, &service.OAuth{Grant: "password"} }, "the grant"},
		"unknown place": {func(s *service.Service) {
			s.Auth, s.OAuth = service.OAuth2, &service.OAuth{Grant: service.Client, TokenURL: "https://a.example/t", Send: "x"}
		}, "--send"},
		"own parameter": {func(s *service.Service) {
			s.Auth, s.OAuth = service.OAuth2, &service.OAuth{Grant: service.Client, TokenURL: "https://a.example/t", TokenParams: map[string]string{"grant_type": "x"}}
		}, "grant_type"},
		"for whom": {func(s *service.Service) {
			s.Auth, s.OAuth = service.OAuth2, &service.OAuth{Grant: service.Client, TokenURL: "https://a.example/t", Subject: "ann"}
		}, "jwt_bearer"},
		"a device's only": {func(s *service.Service) {
			s.Auth, s.OAuth = service.OAuth2, &service.OAuth{Grant: service.Code, TokenURL: "https://a.example/t", DeviceURL: "https://a.example/d"}
		}, ""},
		"credentials in it": {func(s *service.Service) { s.TestURL = "https://a:b@crm.example/" }, "the test URL"},
	} {
		s := good
		c.change(&s)
		err := s.Check()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Where hosts are one's own the preset's test counts for them only: the secret may not go to
// another server.
func TestTheTestIsOfTheHosts(t *testing.T) {
	const graph = "https://graph.microsoft.com/v1.0/me"
	for _, c := range []struct {
		hosts []string
		own   string
		want  string
	}{
		{nil, "", graph}, {[]string{"outlook.office365.com"}, "", ""}, {[]string{"outlook.office365.com", "graph.microsoft.com"}, "", graph},
		{[]string{"*.microsoft.com"}, "", graph}, {[]string{"a.example.org"}, "https://a.example.org/me", "https://a.example.org/me"},
	} {
		s, err := service.Complete(service.Service{Preset: "microsoft", Hosts: c.hosts, TestURL: c.own}, nil)
		if err != nil || s.TestURL != c.want {
			t.Errorf("%v: %q, %v", c.hosts, s.TestURL, err)
		}
	}
}
