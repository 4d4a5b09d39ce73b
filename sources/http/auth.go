package http

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"hash"
	nethttp "net/http"
	"strings"
	"time"

	"zflow/engine/workflow"
)

// knows checks a token, or a user with password. Others are checked by their
// signature, over the body.
func (a *Auth) knows(r *nethttp.Request) bool {
	switch a.Kind {
	case workflow.AuthNone, workflow.AuthHMAC:
		return true
	case workflow.AuthBearer:
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		return strings.EqualFold(scheme, "Bearer") && a.hashed(strings.TrimSpace(token))
	case workflow.AuthBasic:
		user, password, ok := r.BasicAuth()
		return ok && a.hashed(user+":"+password)
	}
	return false
}

func (a *Auth) hashed(text string) bool {
	sum, good := HashOf(a.Salt, text), 0
	for _, h := range a.Hashes {
		good |= subtle.ConstantTimeCompare(sum, h)
	}
	return good == 1
}

// challenge is what WWW-Authenticate says to who is not known.
func (a *Auth) challenge() string {
	switch a.Kind {
	case workflow.AuthBearer:
		return `Bearer realm="zflow"`
	case workflow.AuthBasic:
		return `Basic realm="zflow", charset="UTF-8"`
	}
	return ""
}

// How a signature is.
type signed int

const (
	signedWell signed = iota
	signedBadly
	signedTooEarly // or the clock of who signed is wrong
)

// signature checks that of a request with this body.
func (a *Auth) signature(header nethttp.Header, body []byte, now time.Time) signed {
	if a.Kind != workflow.AuthHMAC {
		return signedWell
	}
	s := a.Signature
	stamp, given := readSignature(s, header)
	if stamp == "" && s.Timestamp != "" || len(given) == 0 || s.ID != "" && header.Get(s.ID) == "" {
		return signedBadly
	}
	good := 0
	for _, key := range a.Keys {
		mac := hmac.New(hashes[s.Algorithm], key)
		writeSigned(mac, s.Signed, map[string]string{"timestamp": stamp, "id": header.Get(s.ID)}, body)
		sum := mac.Sum(nil)
		for _, g := range given {
			good |= subtle.ConstantTimeCompare(sum, g)
		}
	}
	switch {
	case good != 1:
		return signedBadly
	case s.Timestamp != "" && !near(stamp, now, s.Tolerance):
		return signedTooEarly
	}
	return signedWell
}

var hashes = map[string]func() hash.Hash{"sha256": sha256.New, "sha1": sha1.New, "sha512": sha512.New}
