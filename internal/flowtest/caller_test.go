package flowtest

import (
	"strings"
	"testing"
)

// asked is a workflow that requests start that are known so.
func asked(auth string) string {
	return "name: asked\non: [ { http: { auth: " + auth + " } } ]\nsteps: [ { uses: http.request, with: { url: \"https://example.org\" } } ]\n" +
		"output: { n: \"${{ event.n }}\", headers: \"${{ join(sort(keys(trigger.headers)), ' ') }}\" }\n"
}

// A test says who sends a request: one who is known is let in, nobody else is, and what a
// run sees has no trace of what the caller was known by.
func TestCallers(t *testing.T) {
	for name, c := range map[string]struct{ auth, headers string }{
		"bearer":            {`{ bearer: "${{ secrets.hook }}" }`, "content-type host"},
		"basic":             {`{ basic: { user: ann, password: "${{ secrets.hook }}" } }`, "content-type host"},
		"github":            {`{ hmac: { preset: github, secret: "${{ secrets.hook }}" } }`, "content-type host"},
		"stripe":            {`{ hmac: { preset: stripe, secret: "${{ secrets.hook }}" } }`, "content-type host"},
		"slack":             {`{ hmac: { preset: slack, secret: "${{ secrets.hook }}" } }`, "content-type host x-slack-request-timestamp"},
		"standard webhooks": {`{ hmac: { preset: standard_webhooks, secret: "${{ secrets.hook }}" } }`, "content-type host webhook-id webhook-timestamp"},
		"one's own form":    {`{ hmac: { secret: "${{ secrets.hook }}", header: X-Sum, algorithm: sha512, encoding: base64, signed: "{body}" } }`, "content-type host"},
	} {
		t.Run(name, func(t *testing.T) {
			passes(t, asked(c.auth), strings.ReplaceAll(`
secrets: { hook: whsec_dGhlIHJpZ2h0IG9uZQ== }
steps: { http.request: { output: { status: 200, headers: {} } } }
tests:
  - { name: nobody asks, event: { http: {}, body: { n: 1 } }, expect: { status: completed, output: { n: 1 } } }
  - { name: known, event: { http: { auth: true }, body: { n: 1 } }, expect: { status: completed, output: { n: 1, headers: HEADERS } } }
  - { name: by another secret, event: { http: { auth: whsec_YW5vdGhlcg== }, body: { n: 1 } }, expect: { status: refused, calls: [] } }
  - { name: as nobody, event: { http: { auth: false }, body: { n: 1 } }, expect: { status: refused } }
`, "HEADERS", c.headers))
		})
	}
}

// A signature counts for its body and its time.
func TestSignedRequests(t *testing.T) {
	flow := asked(`{ hmac: { preset: slack, secret: "${{ secrets.hook }}" } }`)
	passes(t, flow, `
start: "2026-03-02T10:00:00Z"
secrets: { hook: s }
steps: { http.request: { output: { status: 200, headers: {} } } }
tests:
  - { name: an hour ago, event: { http: { auth: true, headers: { x-slack-request-timestamp: "1772442000" } } }, expect: { status: refused } }
  - { name: a minute ago, event: { http: { auth: true, headers: { x-slack-request-timestamp: "1772445540" } }, body: { n: 7 } }, expect: { status: completed, output: { n: 7 } } }
  - { name: refused and nothing else, event: { http: { auth: false } }, then: [ { after: 1s, event: { http: { auth: true }, body: { n: 3 } } } ], expect: { status: refused, check: len(calls) == 1 } }
  - name: twice, one of them nobody's
    event: { http: { auth: true }, body: { n: 1 } }
    then:
      - { after: 1s, event: { http: { auth: another }, body: { n: 2 } } }
      - { after: 2s, redeliver: true }
    expect: { status: completed, check: len(calls) == 1 }
  - { name: of another body, event: { http: { auth: false, headers: { x-slack-request-timestamp: "1772445600", x-slack-signature: v0=00 } } }, expect: { status: refused } }
  - { name: a form, event: { http: { auth: true, headers: { content-type: application/x-www-form-urlencoded } }, body: "n=8&text=a+b" }, expect: { status: completed, output: { n: "8" } } }
`)
	s := suiteOf(t, flow, "steps: { http.request: { output: { status: 200, headers: {} } } }\ntests: [ { name: a, event: { http: { auth: false } }, expect: { status: completed } } ]\n")
	seen := played(t, s)
	if got := wrongs(&s.Tests[0].Expect, seen); !strings.Contains(got, "refused (the request is refused: 401 ") {
		t.Error(got)
	}
}
