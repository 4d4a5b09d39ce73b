package zoom

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
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
