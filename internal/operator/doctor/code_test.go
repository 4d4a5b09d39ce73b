package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

// A worker without Node.js is wrong where a workflow has code, and else worth a note.
func TestADoctorAsksWhoCanRunCode(t *testing.T) {
	r := newRig(t)
	d := r.doctor()
	all := Code{Silent: 1, Runners: []Runner{
		{Worker: "w1", Version: "v24.1.0", Confined: true, NoNetwork: true},
		{Worker: "w2", Problem: "there is no Node.js here"},
		{Worker: "w3", Version: "v20.1.0"},
	}}
	d.Code = func(context.Context, *nats.Conn) (Code, error) { return all, nil }
	notes := finds(t, d).Notes
	for _, want := range []string{"worker w1 runs code with Node.js 24.1.0, with its permission model; code can be kept from the network there",
		"worker w2 cannot run code: there is no Node.js here", "worker w3 runs code with Node.js 20.1.0, without a permission model; code cannot be kept from the network there",
		"1 worker does not say whether"} {
		if !slices.ContainsFunc(notes, func(n string) bool { return strings.HasPrefix(n, want) }) {
			t.Errorf("no note says %s: %q", want, notes)
		}
	}
	r.Deploy("name: hasher\non: [ { zoom: meeting.ended } ]\nsteps:\n  - { id: hash, code: 'export default () => 1' }\n")
	finds(t, d, "worker w2: it cannot run the code of hasher: there is no Node.js here", "worker w3: its Node.js v20.1.0 has no permission model")
	d.Code = func(context.Context, *nats.Conn) (Code, error) { return Code{}, errors.New("NATS is away") }
	if notes := finds(t, d).Notes; !slices.Contains(notes, "whether workers can run code was not checked: NATS is away") {
		t.Errorf("%q", notes)
	}
}
