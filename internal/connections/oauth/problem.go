package oauth

import (
	"cmp"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"zflow/internal/zoomapi"
)

// Why is what a refusal means for whoever asked.
type Why string

// Reasons.
const (
	Unreachable Why = "unreachable"  // no answer, or one that says to come back
	Garbled     Why = "garbled"      // an answer that is none of an authorization server
	BadClient   Why = "bad_client"   // the app's id or secret is wrong, or the app is switched off
	BadGrant    Why = "bad_grant"    // the refresh token is no longer good
	BadCode     Why = "bad_code"     // the code was used, or is not one
	CodeExpired Why = "code_expired" // of a code, or a device's
	BadRedirect Why = "bad_redirect" // the call-back address is not the app's
	Denied      Why = "denied"       // the person said no
	Pending     Why = "pending"      // the person has not answered yet
	SlowDown    Why = "slow_down"    // as Pending, and asked too often
	Refused     Why = "refused"      // anything else
)

// Problem is why there is no token.
type Problem struct {
	Why     Why
	Status  int    // 0: there was no answer
	Code    string // Zoom's
	Text    string // what Zoom, or the network, said
	RetryAt time.Time
	Skew    time.Duration // how far this machine's clock is ahead of Zoom's, where that is known
}

func (p *Problem) Error() string { return p.Text }

// byCode are the codes that Zoom's documents give a meaning to.
var byCode = map[string]Why{
	"4702": BadClient, "4704": BadClient, "4717": BadClient, "4709": BadRedirect, "4733": CodeExpired, "4734": BadCode,
	"4735": BadGrant, "4737": BadGrant, "4738": BadGrant, "4740": BadGrant, "4741": BadGrant, "4711": BadGrant,
}

var byError = map[string]Why{
	"invalid_client": BadClient, "unauthorized_client": BadClient, "access_denied": Denied,
	// Of other services, which have their own words for the same.
	"incorrect_client_credentials": BadClient, "bad_client_secret": BadClient, "invalid_client_id": BadClient,
	"bad_verification_code": BadCode, "invalid_code": BadCode, "code_already_used": BadCode,
	"bad_refresh_token": BadGrant, "invalid_refresh_token": BadGrant, "token_revoked": BadGrant, "token_expired": BadGrant,
	"authorization_pending": Pending, "slow_down": SlowDown, "expired_token": CodeExpired, "redirect_uri_mismatch": BadRedirect,
}

// byText are words in a reason that has no code of its own.
var byText = []struct {
	words string
	why   Why
}{
	{"expired", CodeExpired}, {"redirect", BadRedirect}, {"invalid token", BadGrant}, {"refresh token", BadGrant},
}

// success tells whether an answer is one. Some services say with a status of success
// that they refuse.
func (a App) success(status int, body []byte) bool {
	if a.Other == nil {
		return status == http.StatusOK
	}
	var said struct {
		OK    *bool           `json:"ok"`
		Error json.RawMessage `json:"error"`
	}
	if status/100 != 2 {
		return false
	}
	_ = json.Unmarshal(body, &said) // what is no object says nothing here
	return (said.OK == nil || *said.OK) && (len(said.Error) == 0 || string(said.Error) == "null")
}

// refusal reads an answer that is no success. What invalid_grant means depends on
// what was asked with.
func (a App) refusal(res *http.Response, body []byte, grant string, now time.Time) *Problem {
	read, ok := zoomapi.ReadProblem(body)
	p := &Problem{Status: res.StatusCode, Code: read.CodeText(), Text: read.Text(), RetryAt: zoomapi.RetryAfter(res.Header, now)}
	if a.Other != nil {
		read, ok = describes(body)
		p.Code, p.Text = read.Err, read.Text()
	}
	if p.Text == "" {
		p.Text = a.name() + " answered " + strings.ToLower(res.Status)
	}
	if p.Code == "" && a.Other == nil {
		p.Code = codeIn(p.Text)
	}
	if p.Code == "" {
		p.Code = read.Err
	}
	p.Why = why(p, read.Err, grant)
	switch {
	case res.StatusCode == http.StatusTooManyRequests, res.StatusCode == http.StatusRequestTimeout, res.StatusCode >= 500:
		p.Why = Unreachable
	case !ok && p.Why == Refused:
		p.Why = Garbled
	}
	return p
}

// describes reads an error as RFC 6749 has it.
func describes(body []byte) (p zoomapi.Problem, ok bool) {
	var said struct {
		Err         string `json:"error"`
		Description string `json:"error_description"`
		Message     string `json:"message"`
	}
	_ = json.Unmarshal(body, &said) // an error may be an object: then it says nothing here
	p.Err, p.Message = said.Err, cmp.Or(said.Description, said.Message)
	return p, p.Err != "" || p.Message != ""
}

func why(p *Problem, name, grant string) Why {
	if w, known := byCode[p.Code]; known {
		return w
	}
	if w, known := byError[name]; known {
		return w
	}
	text := strings.ToLower(p.Text)
	if name == "invalid_grant" || name == "invalid_request" {
		for _, t := range byText {
			if strings.Contains(text, t.words) && fitting(t.why, grant) {
				return t.why
			}
		}
	}
	if name == "invalid_grant" {
		return ofGrant(grant)
	}
	return Refused
}

// fitting keeps a code's reasons for codes, and a refresh token's for these.
func fitting(w Why, grant string) bool {
	if grant == grantBearer {
		return false
	}
	if grant == grantRefresh {
		return w == BadGrant
	}
	return w != BadGrant
}

func ofGrant(grant string) Why {
	if grant == grantBearer {
		return BadClient
	}
	if grant == grantRefresh {
		return BadGrant
	}
	return BadCode
}

// numbered are Zoom's codes as its reasons have them: 4735, (4,735).
var numbered = regexp.MustCompile(`\b4,?7\d\d\b`)

// codeIn finds one of Zoom's codes in a reason.
func codeIn(text string) string {
	code := strings.ReplaceAll(numbered.FindString(text), ",", "")
	if byCode[code] == "" {
		return ""
	}
	return code
}

// garbled is an answer of status 200 that has no token in it.
func (a App) garbled(text string) *Problem {
	return &Problem{Why: Garbled, Status: http.StatusOK, Text: a.name() + "'s " + text}
}

// Waits tells that a device's person has not answered yet.
func (p *Problem) Waits() bool { return slices.Contains([]Why{Pending, SlowDown}, p.Why) }
