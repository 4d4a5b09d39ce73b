package flowtest

import "testing"

const signs = `
name: signs
on: [ { zoom: meeting.ended } ]
steps:
  - id: n
    uses: data.increment
    with: { key: a }
  - id: again
    uses: data.increment
    with: { key: a, by: 4 }
  - id: text
    uses: text.template
    with: { template: "{{.n}} meetings", data: { n: "${{ steps.again.output.value }}" } }
  - id: signature
    uses: crypto.hmac
    with: { key: "${{ secrets.key }}", text: "${{ steps.text.output.text }}" }
  - id: file
    uses: csv.format
    with: { rows: [ { a: 1 }, { a: "=2" } ], name: x.csv, guard: true }
  - id: table
    uses: csv.parse
    with: { file: "${{ steps.file.output.file }}" }
  - id: post
    uses: http.request
    with: { url: https://api.example.org/x, method: PUT, auth: { bearer: "${{ secrets['other-key'] }}" }, headers: { x-signature: "${{ steps.signature.output.hex }}" } }
output: [ "${{ steps.text.output.text }}", "${{ steps.signature.output.hex }}", "${{ steps.table.output.rows }}" ]
`

// The signatures are those of openssl dgst -sha256 -hmac.
const signsTests = `
event: { type: meeting.ended }
secrets: { key: of the file }
steps: { post: { output: { status: 204, headers: {} } } }
tests:
  - name: what reaches nothing outside is called as it is, in a store of the test's own
    expect:
      status: completed
      calls: [ { n: { key: a } }, again, text, { signature: { key: of the file } }, file, table, { post: { auth: { bearer: test-other-key } } } ]
      output: [ 5 meetings, ec9edd55c2a7fba3b0ed733438e99fa378446f537b719ac801a8bedb44293c54, [ { a: "1" }, { a: "'=2" } ] ]
  - name: a test has secrets of its own
    secrets: { key: of the test, other-key: mine }
    expect: { status: completed, calls: [ { signature: { key: of the test } }, { post: { auth: { bearer: mine } } } ] }
  - name: a test says what comes of it
    steps: { n: { error: { final: true, message: no room } } }
    expect: { status: failed, error: no room, calls: [ n ] }
`

func TestWhatReachesNothingOutsideIsCalled(t *testing.T) {
	passes(t, signs, signsTests)
}

// A value is changed once, whatever crashes: the store itself is asked.
func TestWhatReachesNothingOutsideIsVerified(t *testing.T) {
	v := verified(t, `
name: counts
on: [ { zoom: meeting.ended } ]
steps: [ { id: n, uses: data.append, with: { key: a, value: x } } ]
output: "${{ steps.n.output.length }}"
`, `
event: { type: meeting.ended }
tests: [ { name: once, expect: { status: completed, output: 1 } } ]
`)
	if !v.Passed {
		t.Error(v.Tests[0].Text())
	}
	if len(v.Repeats) != 1 || v.Repeats[0].Policy != "probe" {
		t.Errorf("%+v", v.Repeats)
	}
}
