package http

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	nethttp "net/http"
	"testing"
	"time"

	"zflow/engine/workflow"
)

func TestTokensAndPasswords(t *testing.T) {
	salt := []byte("salt")
	bearer := Auth{Kind: workflow.AuthBearer, Salt: salt, Hashes: [][]byte{HashOf(salt, "new"), HashOf(salt, "old")}}
	basic := Auth{Kind: workflow.AuthBasic, Salt: salt, Hashes: [][]byte{HashOf(salt, "shop:hush")}}
	code := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, c := range []struct {
		auth   Auth
		header string
		want   bool
	}{
		{bearer, "Bearer new", true}, {bearer, "bearer old", true}, {bearer, "Bearer  old ", true},
		{bearer, "", false}, {bearer, "new", false}, {bearer, "Bearer", false}, {bearer, "Bearer ne", false}, {bearer, "Basic new", false},
		{basic, code("shop:hush"), true}, {basic, code("shop:hus"), false}, {basic, code("sho:phush"), false}, {basic, code("shop"), false},
		{basic, "Bearer shop:hush", false}, {basic, "", false},
		{Auth{Kind: workflow.AuthNone}, "", true}, {Auth{Kind: "other"}, "Bearer new", false}, {Auth{Kind: workflow.AuthBearer}, "Bearer ", false},
	} {
		r := &nethttp.Request{Header: nethttp.Header{}}
		if c.header != "" {
			r.Header.Set("Authorization", c.header)
		}
		if got := c.auth.knows(r); got != c.want {
			t.Errorf("%s with %q: %v", c.auth.Kind, c.header, got)
		}
	}
}

func sum(key []byte, signed string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(signed))
	return mac.Sum(nil)
}

// forms are the signatures of known senders, and one of one's own.
var forms = map[string]workflow.Signature{
	"github": {Preset: "github", Header: "X-Hub-Signature-256", Algorithm: "sha256", Encoding: "hex", Prefix: "sha256=", Signed: "{body}"},
	"slack": {Preset: "slack", Header: "X-Slack-Signature", Algorithm: "sha256", Encoding: "hex", Prefix: "v0=", Signed: "v0:{timestamp}:{body}",
		Timestamp: "X-Slack-Request-Timestamp", Tolerance: 5 * time.Minute},
	"stripe": {Preset: "stripe", Header: "Stripe-Signature", Algorithm: "sha256", Encoding: "hex", Signed: "{timestamp}.{body}",
		Timestamp: "Stripe-Signature", Tolerance: 5 * time.Minute},
	"standard_webhooks": {Preset: "standard_webhooks", Header: "Webhook-Signature", Algorithm: "sha256", Encoding: "base64", Prefix: "v1,",
		Signed: "{id}.{timestamp}.{body}", Timestamp: "Webhook-Timestamp", ID: "Webhook-Id", Tolerance: 5 * time.Minute},
	"own": {Header: "X-Sign", Algorithm: "sha256", Encoding: "base64", Signed: "{timestamp}/{body}", Timestamp: "X-Time", Tolerance: time.Minute},
}

// sign is what a sender of each form does.
func sign(preset string, key []byte, body string, at time.Time) nethttp.Header {
	h, stamp := nethttp.Header{}, fmt.Sprint(at.Unix())
	switch preset {
	case "github":
		h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(sum(key, body)))
	case "slack":
		h.Set("X-Slack-Request-Timestamp", stamp)
		h.Set("X-Slack-Signature", "v0="+hex.EncodeToString(sum(key, "v0:"+stamp+":"+body)))
	case "stripe":
		h.Set("Stripe-Signature", "t="+stamp+",v1="+hex.EncodeToString(sum([]byte("another"), body))+",v1="+hex.EncodeToString(sum(key, stamp+"."+body))+",v0=aa")
	case "standard_webhooks":
		h.Set("Webhook-Id", "msg_1")
		h.Set("Webhook-Timestamp", stamp)
		h.Set("Webhook-Signature", "v1,AAAA v1,"+base64.StdEncoding.EncodeToString(sum(key, "msg_1."+stamp+"."+body))+" v1a,xx")
	default:
		h.Set("X-Time", stamp)
		h.Set("X-Sign", base64.StdEncoding.EncodeToString(sum(key, stamp+"/"+body)))
	}
	return h
}

func TestSignatures(t *testing.T) {
	now := time.Unix(1790000000, 0)
	const body = `{"a": "b"}`
	for name, form := range forms {
		a := Auth{Kind: workflow.AuthHMAC, Signature: &form, Keys: [][]byte{[]byte("next"), []byte("key")}}
		check := func(what string, h nethttp.Header, body string, want signed) {
			t.Helper()
			if got := a.signature(h, []byte(body), now); got != want {
				t.Errorf("%s, %s: %d, not %d", name, what, got, want)
			}
		}
		h := sign(name, []byte("key"), body, now)
		check("as signed", h, body, signedWell)
		check("another body", h, body+" ", signedBadly)
		check("another key", sign(name, []byte("kez"), body, now), body, signedBadly)
		check("no key", sign(name, nil, body, now), body, signedBadly)
		check("nothing", nethttp.Header{}, body, signedBadly)
		for header := range h {
			less := h.Clone()
			less.Del(header)
			check("without "+header, less, body, signedBadly)
			less.Set(header, "")
			check("with an empty "+header, less, body, signedBadly)
			less.Set(header, "v1=,v0=,sha256=zz,t=1")
			check("with a strange "+header, less, body, signedBadly)
		}
		if form.Timestamp == "" {
			continue
		}
		check("long ago", sign(name, []byte("key"), body, now.Add(-form.Tolerance-time.Second)), body, signedTooEarly)
		check("by a clock ahead", sign(name, []byte("key"), body, now.Add(form.Tolerance+time.Second)), body, signedTooEarly)
		check("nearly too long ago", sign(name, []byte("key"), body, now.Add(-form.Tolerance)), body, signedWell)
	}
}

func TestSigningKey(t *testing.T) {
	standard, github := forms["standard_webhooks"], forms["github"]
	if key, err := SigningKey(&standard, "whsec_"+base64.StdEncoding.EncodeToString([]byte("key"))); string(key) != "key" || err != nil {
		t.Errorf("%q, %v", key, err)
	}
	for _, bad := range []string{"", "whsec_", "whsec_%%%"} {
		if _, err := SigningKey(&standard, bad); err == nil {
			t.Errorf("%q is a key", bad)
		}
	}
	if key, err := SigningKey(&github, "whsec_a"); string(key) != "whsec_a" || err != nil {
		t.Errorf("%q, %v", key, err)
	}
}

func TestNear(t *testing.T) {
	now := time.Unix(1790000000, 0)
	for stamp, want := range map[string]bool{"1790000000": true, "1790000060": true, "1790000061": false, "1789999940": true, "1789999939": false,
		"1790000000123": true, "": false, "x": false, "-1790000000": false, "0": false, "99999999999999999999": false, "9223372036854775807": false} {
		if got := near(stamp, now, time.Minute); got != want {
			t.Errorf("%s: %v", stamp, got)
		}
	}
}

func FuzzSignature(f *testing.F) {
	f.Add("t=1790000000,v1=aa", "1790000000", "msg", []byte("{}"))
	f.Add("v1,AAAA v1,", "", "", []byte(nil))
	f.Fuzz(func(t *testing.T, signature, stamp, id string, body []byte) {
		for name, form := range forms {
			a := Auth{Kind: workflow.AuthHMAC, Signature: &form, Keys: [][]byte{[]byte("a key that nobody guesses")}}
			h := nethttp.Header{}
			h.Set(form.Header, signature)
			if form.ID != "" {
				h.Set(form.ID, id)
			}
			if form.Timestamp != "" && form.Timestamp != form.Header {
				h.Set(form.Timestamp, stamp)
			}
			if a.signature(h, body, time.Unix(1790000000, 0)) == signedWell {
				t.Errorf("%s takes %q", name, signature)
			}
		}
	})
}
