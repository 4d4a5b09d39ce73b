package connections_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"zflow/internal/connections"
	"zflow/internal/connections/service"
	"zflow/internal/natstest"
)

const tokenAt = "https://auth.example/token"

// keys are made once: that of a service account, and an app's.
var keys = sync.OnceValues(func() (*rsa.PrivateKey, *ecdsa.PrivateKey) {
	account, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	app, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return account, app
})

func pemOf(key any) string {
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}

// account is the key file of a service account.
func account(key any) string {
	raw, _ := json.Marshal(map[string]string{"type": "service_account", "private_key_id": "k1", "private_key": pemOf(key),
		"client_email": "robot@project.example", "token_uri": tokenAt})
	return string(raw)
}

// strict is an authorization server that takes nothing but what the standards, and
// services that are strict about them, have.
type strict struct {
	t       *testing.T
	way     string        // service, client, json or device
	ahead   time.Duration // of its clock
	scope   string
	subject string
	codes   map[string]bool // good once
	seen    map[string]bool // ids of assertions
	waits   []string        // what a device is told in turn
	given   int
}

func (s *strict) now() time.Time { return time.Now().Add(s.ahead) }

// RoundTrip answers as the server does.
func (s *strict) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if strings.Contains(string(body), "PRIVATE") || strings.Contains(r.Header.Get("Authorization"), "UFJJVkFURQ") {
		s.t.Error("the private key was sent")
	}
	code, text := s.answer(r, string(body))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	fmt.Fprint(w, text)
	return w.Result(), nil
}

func no(name, text string) (int, string) {
	return 400, fmt.Sprintf(`{"error":%q,"error_description":%q}`, name, text)
}

func (s *strict) answer(r *http.Request, body string) (int, string) {
	form, err := url.ParseQuery(body)
	if err != nil || r.Method != "POST" || s.way != "json" && r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		return no("invalid_request", "no form")
	}
	switch s.way {
	case "service":
		return s.service(r, form)
	case "client":
		return s.client(r, form)
	case "json":
		return s.json(r, body)
	}
	return s.device(r, form)
}

func (s *strict) give(more string) (int, string) {
	s.given++
	return 200, fmt.Sprintf(`{"access_token":"acc3ss-%d","token_type":"Bearer"%s}`, s.given, more)
}

// claims are those of a JWT that a key has signed.
func (s *strict) claims(text, alg, kid string, good func(digest, signature []byte) bool) (map[string]any, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, errors.New("no JWT")
	}
	var raw [3][]byte
	for i, p := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.Strict().DecodeString(p); err != nil {
			return nil, errors.New("bad base64url")
		}
	}
	var header map[string]string
	if json.Unmarshal(raw[0], &header) != nil || header["alg"] != alg || header["typ"] != "JWT" || header["kid"] != kid {
		return nil, fmt.Errorf("bad header %s", raw[0])
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !good(digest[:], raw[2]) {
		return nil, errors.New("Invalid JWT Signature.")
	}
	claims := map[string]any{}
	if json.Unmarshal(raw[1], &claims) != nil {
		return nil, errors.New("no claims")
	}
	at, end := time.Unix(int64(claims["iat"].(float64)), 0), time.Unix(int64(claims["exp"].(float64)), 0)
	if claims["aud"] != tokenAt || at.After(s.now().Add(time.Minute)) || !end.After(s.now()) || end.Sub(at) > time.Hour || s.seen[fmt.Sprint(claims["jti"])] {
		return nil, errors.New("Token must be a short-lived token in a reasonable timeframe. Check your iat and exp values.")
	}
	s.seen[fmt.Sprint(claims["jti"])] = true
	return claims, nil
}

// only tells whether a form has these fields and no others.
func only(form url.Values, fields ...string) bool {
	var got []string
	for name := range form {
		got = append(got, name)
	}
	slices.Sort(got)
	return slices.Equal(got, fields)
}

func (s *strict) service(r *http.Request, form url.Values) (int, string) {
	key, _ := keys()
	if !only(form, "assertion", "grant_type") || form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" || r.Header.Get("Authorization") != "" {
		return no("invalid_request", "not as it should be: "+fmt.Sprint(form))
	}
	claims, err := s.claims(form.Get("assertion"), "RS256", "k1", func(digest, signature []byte) bool {
		return rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest, signature) == nil
	})
	switch {
	case err != nil:
		return no("invalid_grant", err.Error())
	case claims["iss"] != "robot@project.example" || claims["scope"] != s.scope:
		return no("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
	case fmt.Sprint(claims["sub"]) != s.subject:
		return no("unauthorized_client", "Client is unauthorized to retrieve access tokens using this method.")
	}
	return s.give(`,"expires_in":3599`)
}

func (s *strict) client(r *http.Request, form url.Values) (int, string) {
	_, key := keys()
	fields := []string{"client_assertion", "client_assertion_type", "client_id", "grant_type", "resource", "scope"}
	if !only(form, fields...) || form.Get("resource") != "all" || r.Header.Get("Authorization") != "" ||
		form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return no("invalid_request", "not as it should be: "+fmt.Sprint(form))
	}
	claims, err := s.claims(form.Get("client_assertion"), "ES256", "", func(digest, signature []byte) bool {
		return len(signature) == 64 && ecdsa.Verify(&key.PublicKey, digest, new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	})
	if err != nil || claims["iss"] != "client" || claims["sub"] != "client" || form.Get("client_id") != "client" {
		return no("invalid_client", fmt.Sprint("client authentication failed: ", err))
	}
	return s.give(`,"expires_in":600`)
}

func (s *strict) json(r *http.Request, body string) (int, string) {
	d := json.NewDecoder(strings.NewReader(body))
	d.DisallowUnknownFields()
	var q struct {
		Grant    string `json:"grant_type"`
		Code     string `json:"code"`
		Redirect string `json:"redirect_uri"`
		Refresh  string `json:"refresh_token"`
	}
	if id, password, _ := r.BasicAuth(); id != "client" || password != secret {
		return 401, `{"error":"invalid_client"}`
	}
	if err := d.Decode(&q); err != nil || r.Header.Get("Content-Type") != "application/json" {
		return no("invalid_request", fmt.Sprint("body failed validation: ", err))
	}
	good, there := s.codes[q.Code+q.Refresh]
	s.codes[q.Code+q.Refresh] = false
	switch {
	case q.Grant == "authorization_code" && q.Redirect != backTo, there && !good:
		return no("invalid_grant", "this code was used")
	case !there:
		return no("invalid_grant", "the code has expired")
	}
	s.codes[fmt.Sprint("r3fresh-", s.given)] = true
	return s.give(fmt.Sprintf(`,"refresh_token":"r3fresh-%d","workspace_name":"W"`, s.given))
}

func (s *strict) device(r *http.Request, form url.Values) (int, string) {
	if r.URL.Path == "/device" {
		if !only(form, "client_id", "scope") || form.Get("scope") != "read" || form.Get("client_id") != "client" {
			return no("invalid_request", fmt.Sprint(form))
		}
		return 200, `{"device_code":"d3vice-code","user_code":"AB-CD","verification_url":"https://auth.example/device","expires_in":900,"interval":5}`
	}
	if !only(form, "client_id", "device_code", "grant_type") || form.Get("device_code") != "d3vice-code" || form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:device_code" {
		return no("invalid_request", fmt.Sprint(form))
	}
	if say := s.waits[0]; say != "" {
		s.waits = s.waits[1:]
		return no(say, "")
	}
	return s.give(`,"expires_in":3600,"refresh_token":"r3fresh-of-device"`)
}

// inStrict runs a store against a strict server.
func inStrict(t *testing.T, way string, f func(*testing.T, *strict, *connections.Store)) {
	dir := t.TempDir()
	keys()
	synctest.Test(t, func(t *testing.T) {
		natstest.VirtualTime(t)
		s := &strict{t: t, way: way, scope: "sheets", subject: "<nil>", codes: map[string]bool{}, seen: map[string]bool{}}
		f(t, s, open(t, bucket(t, natstest.Dir(dir)), connections.Options{Services: connections.Services{Transport: s}}))
	})
}

// wants is a connection of oauth2.
func wants(key string, o service.OAuth) connections.Wanted {
	o.TokenURL, o.AuthorizeURL = tokenAt, "https://auth.example/consent"
	return connections.Wanted{Name: "other", Kind: connections.KindHTTP, Secret: key,
		Service: &service.Service{Auth: service.OAuth2, Hosts: []string{"api.example"}, OAuth: &o}}
}

func join(t *testing.T, s *connections.Store, w connections.Wanted) error {
	w, err := s.CompleteService(t.Context(), w)
	if err == nil {
		_, err = s.Connect(t.Context(), w)
	}
	return err
}

// still checks that the connection gives a token.
func still(t *testing.T, s *connections.Store, want string) {
	t.Helper()
	if c, err := s.Credential(t.Context(), "other"); err != nil || want != "" && c.Token != want {
		t.Errorf("its token: %q, %v", c.Token, err)
	}
}

// A service account: what its key signs is traded for a token, again whenever that ends.
// A wrong key file, and a clock that is wrong, are said, and change nothing.
func TestServiceAccounts(t *testing.T) {
	inStrict(t, "service", func(t *testing.T, s *strict, store *connections.Store) {
		key, otherKey := keys()
		w := wants(account(key), service.OAuth{Grant: service.JWTBearer, Scopes: []string{"sheets"}})
		if err := join(t, store, w); err != nil {
			t.Fatal(err)
		}
		still(t, store, "acc3ss-1")
		time.Sleep(2 * time.Hour)
		still(t, store, "acc3ss-2")
		r, err := store.Show(t.Context(), "other")
		if err != nil || r.ClientID != "robot@project.example" || r.State != connections.Connected {
			t.Errorf("%+v, %v", r, err)
		}
		small := account(key)
		for text, words := range map[string][]string{
			"":                                      {"--key-file", "missing"},
			"no key":                                {"no private key in it"},
			"{}":                                    {"not the key of a service account"},
			"{":                                     {"not the JSON of a key"},
			strings.Replace(small, "MII", "MIA", 1): {"damaged"},
			pemOf(key):                              {"--client-id"},
			"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----": {"passphrase"},
			account(otherKey): {"check the key", "bad header", "nothing was changed"},
		} {
			bad := wants(text, service.OAuth{Grant: service.JWTBearer, Scopes: []string{"sheets"}})
			bad.Name = "bad"
			if text == account(otherKey) {
				bad.Name = "other"
			}
			says(t, join(t, store, bad), words...)
		}
		s.ahead = -7 * time.Minute
		says(t, join(t, store, w), "this worker's clock is 7m", "ahead of", "reasonable timeframe", "nothing was changed")
		still(t, store, "acc3ss-2")
		s.ahead = 0
		w.Service.OAuth.Subject = "ann@example.org"
		says(t, join(t, store, w), "unauthorized to retrieve", "nothing was changed")
		still(t, store, "acc3ss-2")
		s.subject = "ann@example.org"
		if err := join(t, store, w); err != nil {
			t.Fatal(err)
		}
		still(t, store, "acc3ss-3")
		w.Secret, w.ClientID = "", ""
		w.Service.OAuth.Grant, w.Service.OAuth.Subject = service.Client, ""
		says(t, join(t, store, w), "client secret of the app is missing") // the key is none: it is not sent as one
	})
}

// An app that signs who it is.
func TestPrivateKeyJWT(t *testing.T) {
	inStrict(t, "client", func(t *testing.T, _ *strict, store *connections.Store) {
		_, key := keys()
		w := wants(pemOf(key), service.OAuth{Grant: service.Client, Send: service.SendSigned, Scopes: []string{"read"}, TokenParams: map[string]string{"resource": "all"}})
		w.ClientID = "client"
		if err := join(t, store, w); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		still(t, store, "acc3ss-2")
		wrong := w
		wrong.ClientID = "another"
		says(t, join(t, store, wrong), "check the key", "client authentication failed", "nothing was changed")
		still(t, store, "acc3ss-2")
	})
}

// Token endpoints of JSON that take no word more than they know, as Notion's.
func TestJSONTokenEndpoint(t *testing.T) {
	inStrict(t, "json", func(t *testing.T, s *strict, store *connections.Store) {
		w := wants(secret, service.OAuth{Grant: service.Code, Send: service.SendJSON, NoPKCE: true, Params: map[string]string{"owner": "user"}})
		w.ClientID = "client"
		consent := func(code string) error {
			b, err := store.Begin(t.Context(), w, backTo)
			if err != nil {
				return err
			}
			if !strings.Contains(b.URL, "owner=user") || strings.Contains(b.URL, "code_challenge") {
				t.Error(b.URL)
			}
			_, err = store.Finish(t.Context(), connections.Answer{State: b.State, Code: code})
			return err
		}
		s.codes["c0de"] = true
		if err := consent("c0de"); err != nil {
			t.Fatal(err)
		}
		still(t, store, "acc3ss-1")
		says(t, consent("c0de"), "begin again", "was used", "nothing was changed")
		says(t, consent("late"), "too old: begin again", "nothing was changed")
		still(t, store, "acc3ss-1")
		time.Sleep(2 * time.Hour)
		still(t, store, "acc3ss-2")
	})
}

// A person consents on another machine.
func TestDeviceOfAService(t *testing.T) {
	inStrict(t, "device", func(t *testing.T, s *strict, store *connections.Store) {
		w := wants("", service.OAuth{Grant: service.Code, DeviceURL: "https://auth.example/device", Scopes: []string{"read"}})
		w.ClientID, w.Service.OAuth.AuthorizeURL = "client", ""
		_, err := store.Begin(t.Context(), w, backTo)
		says(t, err, "--authorize-url", "--device")
		poll := func(waits ...string) error {
			s.waits = append(waits, "")
			b, err := store.BeginDevice(t.Context(), w)
			if err != nil || b.UserCode != "AB-CD" || b.URL != "https://auth.example/device" {
				return fmt.Errorf("%+v, %w", b, err)
			}
			for {
				_, again, err := store.Poll(t.Context(), b.State)
				if !errors.Is(err, connections.ErrWaits) {
					return err
				}
				time.Sleep(again)
			}
		}
		if err := poll("authorization_pending", "slow_down"); err != nil {
			t.Fatal(err)
		}
		still(t, store, "acc3ss-1")
		says(t, poll("authorization_pending", "access_denied"), "denied", "nothing was changed")
		says(t, poll("authorization_pending", "expired_token"), "too old: begin again", "nothing was changed")
		still(t, store, "acc3ss-1")
		w.Service.OAuth.DeviceURL, w.Service.OAuth.AuthorizeURL = "", "https://auth.example/consent"
		_, err = store.BeginDevice(t.Context(), w)
		says(t, err, "--device-url")
	})
}
