package zoom

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

const (
	signatureHeader = "X-Zm-Signature"
	timestampHeader = "X-Zm-Request-Timestamp"
	signatureScheme = "v0="
	// firstMillis parts Unix times in seconds from those in milliseconds.
	firstMillis = 100_000_000_000
)

// verify returns the secret that signed the body at the timestamp. Every secret is
// tried, so the time taken tells nothing about which one it was.
func verify(secrets [][]byte, signature, timestamp string, body []byte) (secret []byte, ok bool) {
	if len(signature) != len(signatureScheme)+2*sha256.Size || signature[:len(signatureScheme)] != signatureScheme {
		return nil, false
	}
	var claimed [sha256.Size]byte
	if _, err := hex.Decode(claimed[:], []byte(signature[len(signatureScheme):])); err != nil {
		return nil, false
	}
	for _, s := range secrets {
		if subtle.ConstantTimeCompare(sign(s, timestamp, body), claimed[:]) == 1 {
			secret, ok = s, true
		}
	}
	return secret, ok
}

func sign(secret []byte, timestamp string, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("v0:" + timestamp + ":"))
	h.Write(body)
	return h.Sum(nil)
}

// encryptedToken is the proof that Zoom asks for at URL validation.
func encryptedToken(secret []byte, plain string) string {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(plain))
	return hex.EncodeToString(h.Sum(nil))
}

// signedAt reads the request's timestamp: whole seconds, or milliseconds, which
// some senders use.
func signedAt(timestamp string) (time.Time, bool) {
	n, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || n < 0 {
		return time.Time{}, false
	}
	if n >= firstMillis {
		return time.UnixMilli(n), true
	}
	return time.Unix(n, 0), true
}

// credential is a header that Zoom was told to send beside the signature.
type credential struct{ name, value string }

func (a App) credentials() []credential {
	var all []credential
	if a.User != "" {
		all = append(all, credential{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(a.User+":"+a.Password))})
	}
	if a.Header != "" {
		all = append(all, credential{a.Header, a.Value})
	}
	return all
}

// hasAll compares all of them, so the time taken does not tell which one differs.
func (a *app) hasAll(h http.Header) bool {
	ok := 1
	for _, c := range a.beside {
		ok &= subtle.ConstantTimeCompare([]byte(h.Get(c.name)), []byte(c.value))
	}
	return ok == 1
}
