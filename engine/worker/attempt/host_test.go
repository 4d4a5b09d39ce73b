package attempt

import "testing"

// TestHost: the host is read where Zoom's events have it, and nothing else is taken for one.
func TestHost(t *testing.T) {
	for body, want := range map[string]string{
		`{"event":"meeting.ended","payload":{"object":{"id":1,"host_id":"u-7"}}}`: "u-7",
		`{"payload":{"object":{"id":"1"}}}`:                                       "",
		`{"payload":{"object":[{"host_id":"u"}]}}`:                                "",
		`{"payload":{"object":{"host_id":7}}}`:                                    "",
		`{"host_id":"u"}`:                                                         "",
		`[]`:                                                                      "",
		``:                                                                        "",
	} {
		if got := (Of{Body: []byte(body)}).host(); got != want {
			t.Errorf("%s: %q, not %q", body, got, want)
		}
	}
}
