package zoomsim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
	"zflow/internal/zoomsim/rest"
)

// Sign returns the signature of a body that is sent at a time in Unix seconds,
// as the header x-zm-signature carries it.
func Sign(secretToken string, seconds int64, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secretToken))
	mac.Write(strconv.AppendInt([]byte("v0:"), seconds, 10))
	mac.Write([]byte{':'})
	mac.Write(body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// Header returns the headers of a webhook that is sent at a time. Its ids are
// new each time: they belong to the delivery, not to the event.
func Header(secretToken string, at time.Time, body []byte) http.Header {
	h := http.Header{}
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("User-Agent", "Zoom Marketplace/1.0a")
	h.Set("X-Zm-Signature", Sign(secretToken, at.Unix(), body))
	h.Set("X-Zm-Request-Timestamp", strconv.FormatInt(at.Unix(), 10))
	h.Set("X-Zm-Request-Id", rest.Random(16))
	h.Set("X-Zm-Trackingid", "v=2.0;clid=sim;rid=WEB_"+rest.Random(12))
	return h
}

// checkValidation tells whether an answer proves that its sender knows the
// secret token.
func checkValidation(secretToken, plain string, answer []byte) error {
	var got struct {
		PlainToken     string `json:"plainToken"`
		EncryptedToken string `json:"encryptedToken"`
	}
	if err := json.Unmarshal(answer, &got); err != nil {
		return errors.New("the answer is not JSON")
	}
	mac := hmac.New(sha256.New, []byte(secretToken))
	mac.Write([]byte(plain))
	switch {
	case got.PlainToken != plain:
		return errors.New("the answer has another plainToken")
	case !hmac.Equal([]byte(got.EncryptedToken), []byte(hex.EncodeToString(mac.Sum(nil)))):
		return errors.New("the encryptedToken is wrong")
	}
	return nil
}
