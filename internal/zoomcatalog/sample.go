package zoomcatalog

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Who and what the built-in payloads are about; all of it is invented.
const (
	SampleAccount   = "hBr_Learning-2026a"
	SampleHost      = "usrNoorHaddad-07"
	SampleHostEmail = "noor.haddad@harbor.example"
	SampleMeeting   = 91000000001
	SampleUUID      = "c2FtcGxlTWVldGluZ1VVSQ=="
)

// The values that Fresh replaces, and the moment at which a payload without an
// event_ts took place.
const (
	sampleMeeting = "91000000001"
	sampleCall    = "7100000000000000001"
	sampleMark    = "sample-"        // begins every other id
	sampleMember  = "usrLinaSoto-11" // whom events of users are about
	sampleMoment  = 1772445600000
)

//go:embed samples/*.json
var samples embed.FS

// times finds the moments in a payload: RFC 3339 text and milliseconds.
var times = regexp.MustCompile(`2026-03-\d\dT\d\d:\d\d:\d\dZ|17724\d{8}`)

// Sample returns a built-in payload for an event, always the same bytes. An
// event it does not know gets the usual envelope.
func Sample(name string) []byte {
	body, err := samples.ReadFile("samples/" + name + ".json")
	if err != nil {
		return compose(name)
	}
	return compact(body)
}

// Fresh returns the payload of an event that happened now: the sample with its
// own meeting, ids and times. The same now and n give the same bytes; events of
// different types with the same now and n are about the same meeting.
func Fresh(name string, now time.Time, n int) []byte {
	body := Sample(name)
	seed := seedOf(now, n)
	body = shift(body, now.UnixMilli()-momentOf(body))
	text := strings.NewReplacer(
		SampleUUID, base64.StdEncoding.EncodeToString(seed[:16]),
		sampleCall, strconv.FormatUint(7e18+binary.BigEndian.Uint64(seed[16:])%1e18, 10),
		sampleMeeting, strconv.FormatUint(9e10+binary.BigEndian.Uint64(seed[8:])%1e10, 10),
		sampleMark, hex.EncodeToString(seed[24:28])+"-",
		sampleMember, sampleMember[:len(sampleMember)-2]+hex.EncodeToString(seed[24:28]),
	).Replace(string(body))
	return []byte(text)
}

func seedOf(now time.Time, n int) [sha256.Size]byte {
	var in [16]byte
	binary.BigEndian.PutUint64(in[:], uint64(now.UnixMilli()))
	binary.BigEndian.PutUint64(in[8:], uint64(n))
	return sha256.Sum256(in[:])
}

// momentOf returns when a sample took place, in milliseconds.
func momentOf(body []byte) int64 {
	_, rest, found := bytes.Cut(body, []byte(`"event_ts":`))
	rest = bytes.TrimPrefix(rest, []byte(`"`))
	if !found || len(rest) < 13 {
		return sampleMoment
	}
	ms, err := strconv.ParseInt(string(rest[:13]), 10, 64)
	if err != nil {
		return sampleMoment
	}
	return ms
}

// shift moves every moment in a sample by so many milliseconds.
func shift(body []byte, by int64) []byte {
	return times.ReplaceAllFunc(body, func(at []byte) []byte {
		if ms, err := strconv.ParseInt(string(at), 10, 64); err == nil {
			return strconv.AppendInt(nil, ms+by, 10)
		}
		t, err := time.Parse(time.RFC3339, string(at))
		if err != nil {
			return at
		}
		return t.Add(time.Duration(by)*time.Millisecond).UTC().AppendFormat(nil, time.RFC3339)
	})
}

func compact(body []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(body))
	if json.Compact(&out, body) != nil {
		return body // the samples are checked by a test
	}
	return out.Bytes()
}
