package zoom_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

func macOf(secret, timestamp, body string) string {
	h := hmac.New(sha256.New, []byte(secret))
	io.WriteString(h, "v0:"+timestamp+":"+body)
	return hex.EncodeToString(h.Sum(nil))
}

// FuzzHandler sends any headers and any body through the whole handler. Nothing is
// stored and no URL validated unless one of the secrets made the MAC and the timestamp
// is a number within the window; what is right in both is refused for its body only.
func FuzzHandler(f *testing.F) {
	now := time.Now()
	stamp := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	for _, timestamp := range []string{stamp(0), stamp(-3 * time.Hour), stamp(time.Hour), stamp(0) + "000", "", "-1", "+1790000000", "1e9", "99999999999999999999", " " + stamp(0)} {
		f.Add("", timestamp, ended, byte(0))
		f.Add("v0="+macOf(secret, timestamp, ended), timestamp, ended, byte(3))
		f.Add("", timestamp, validation("x"), byte(1))
	}
	f.Add("v0=", "0", "{", byte(3))
	f.Fuzz(func(t *testing.T, signature, timestamp, body string, by byte) {
		d := newDesk(t)
		if by %= 4; by < 3 { // else as the signature is
			signature = "v0=" + macOf([]string{secret, older, "guessed"}[by], timestamp, body)
		}
		r := httptest.NewRequest(http.MethodPost, "/hooks/zoom/main", strings.NewReader(body))
		r.Header["X-Zm-Signature"], r.Header["X-Zm-Request-Timestamp"] = []string{signature}, []string{timestamp}
		w := d.send(r)
		right := strings.EqualFold(signature, "v0="+macOf(secret, timestamp, body)) || strings.EqualFold(signature, "v0="+macOf(older, timestamp, body))
		valid := right && strings.HasPrefix(signature, "v0=") && recent(timestamp)
		switch {
		case !valid && (w.Code/100 != 4 || len(d.published) > 0):
			t.Fatalf("signature %q at %q: answered %d, %d stored", signature, timestamp, w.Code, len(d.published))
		case valid && w.Code == http.StatusUnauthorized:
			t.Fatalf("refused though it is right: %v", d.counts("main"))
		case w.Code == http.StatusNoContent && len(d.published) != 1:
			t.Fatalf("answered 204, %d stored", len(d.published))
		case valid && w.Code/100 == 5:
			t.Fatalf("answered %d: %v", w.Code, d.counts("main"))
		}
	})
}

// recent tells whether a timestamp is a number within the window.
func recent(timestamp string) bool {
	n, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || n < 0 {
		return false
	}
	at := time.Unix(n, 0)
	if n >= 100_000_000_000 {
		at = time.UnixMilli(n)
	}
	age := time.Since(at)
	return age <= 2*time.Hour && age >= -5*time.Minute
}
