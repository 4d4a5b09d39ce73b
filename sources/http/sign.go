package http

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	nethttp "net/http"
	"strconv"
	"strings"
	"time"

	"zflow/engine/workflow"
)

// most is how many signatures of a request are looked at: while keys are replaced
// there are two.
const most = 8

// readSignature returns the time of a signature, as it is written, and the sums
// that are given.
func readSignature(s *workflow.Signature, header nethttp.Header) (stamp string, given [][]byte) {
	text := header.Get(s.Header)
	switch s.Preset {
	case "stripe": // t=1492774577,v1=5257a8…,v1=…
		var sums []string
		for part := range strings.SplitSeq(text, ",") {
			switch name, value, _ := strings.Cut(strings.TrimSpace(part), "="); name {
			case "t":
				stamp = value
			case "v1":
				sums = append(sums, value)
			}
		}
		return stamp, decoded(s, sums)
	case "standard_webhooks": // v1,K5oZ… v1,…
		return header.Get(s.Timestamp), decoded(s, strings.Fields(text))
	}
	if s.Timestamp != "" {
		stamp = header.Get(s.Timestamp)
	}
	return stamp, decoded(s, []string{text})
}

func decoded(s *workflow.Signature, texts []string) (sums [][]byte) {
	for _, text := range texts[:min(len(texts), most)] {
		text, ok := strings.CutPrefix(text, s.Prefix)
		if !ok {
			continue
		}
		decode := hex.DecodeString
		if s.Encoding == "base64" {
			decode = base64.StdEncoding.DecodeString
		}
		if sum, err := decode(text); err == nil && len(sum) > 0 {
			sums = append(sums, sum)
		}
	}
	return sums
}

// SigningKey is what a secret signs with: its bytes, or for Standard Webhooks what they
// stand for in base64.
func SigningKey(s *workflow.Signature, secret string) ([]byte, error) {
	if s.Preset != "standard_webhooks" {
		return []byte(secret), nil
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) == 0 {
		return nil, errors.New("the secret is not like whsec_MfKQ9r8…, as Standard Webhooks has them")
	}
	return key, nil
}

// writeSigned writes what is signed: a form in which {body} and other names stand.
func writeSigned(mac hash.Hash, form string, values map[string]string, body []byte) {
	for form != "" {
		before, rest, found := strings.Cut(form, "{")
		mac.Write([]byte(before))
		name, after, closed := strings.Cut(rest, "}")
		switch {
		case !found:
			return
		case !closed:
			mac.Write([]byte("{" + rest))
			return
		case name == "body":
			mac.Write(body)
		default:
			mac.Write([]byte(values[name]))
		}
		form = after
	}
}

// near tells whether a Unix time in seconds, or in milliseconds, is no further from
// now than allowed.
func near(stamp string, now time.Time, tolerance time.Duration) bool {
	n, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || n <= 0 {
		return false
	}
	at := time.Unix(n, 0)
	if n >= 1e11 { // year 5138 in seconds
		at = time.UnixMilli(n)
	}
	return now.Sub(at).Abs() <= tolerance
}

// carries are the headers by which a route's requests are signed, or known: no event
// has them.
func (a *Auth) carries(name string) bool {
	return a.Signature != nil && strings.EqualFold(name, a.Signature.Header)
}

// Sign gives a request with this body the headers of a signature as its sender does. A
// time or an id that stands in them already is signed as it is.
func Sign(s *workflow.Signature, header nethttp.Header, key, body []byte, now time.Time) {
	stamp := strconv.FormatInt(now.Unix(), 10)
	if s.Timestamp != "" && s.Timestamp != s.Header {
		if given := header.Get(s.Timestamp); given != "" {
			stamp = given
		}
		header.Set(s.Timestamp, stamp)
	}
	if s.ID != "" && header.Get(s.ID) == "" {
		header.Set(s.ID, "msg_"+stamp)
	}
	mac := hmac.New(hashes[s.Algorithm], key)
	writeSigned(mac, s.Signed, map[string]string{"timestamp": stamp, "id": header.Get(s.ID)}, body)
	sum := hex.EncodeToString(mac.Sum(nil))
	if s.Encoding == "base64" {
		sum = base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	value := s.Prefix + sum
	if s.Preset == "stripe" {
		value = "t=" + stamp + ",v1=" + value
	}
	header.Set(s.Header, value)
}

// Keyed tells whether a request with this body has the key by which it is known when it
// comes again.
func Keyed(r *nethttp.Request, k workflow.RequestKey, body []byte) bool {
	key, f := keyOf(r, k, body)
	return f == nil && key[0] == "key"
}
