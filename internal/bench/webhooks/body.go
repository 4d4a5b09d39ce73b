package webhooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"
)

// Body returns the body of an event of Zoom about a meeting of its own.
func Body(run string, at time.Time) []byte {
	b := make([]byte, 0, 512)
	b = append(b, `{"event":"meeting.ended","event_ts":`...)
	b = strconv.AppendInt(b, at.UnixMilli(), 10)
	b = append(b, `,"payload":{"account_id":"AAAAAABBBB","object":{"id":"85746065432","uuid":"`...)
	b = append(b, run...)
	b = append(b, `","host_id":"x1yCzABCDEfg23HiJKl4mN","topic":"Weekly review","type":2,"start_time":"`...)
	b = at.Add(-30*time.Minute).UTC().AppendFormat(b, "2006-01-02T15:04:05Z")
	b = append(b, `","timezone":"Europe/Berlin","duration":30,"end_time":"`...)
	b = at.UTC().AppendFormat(b, "2006-01-02T15:04:05Z")
	return append(b, `"}}}`...)
}

// Sign sets Zoom's signature over a body.
func Sign(h http.Header, secret string, body []byte, at time.Time) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	h.Set("x-zm-request-timestamp", stamp)
	h.Set("x-zm-signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
}
