// Package examples has the example workflows, for the demo and for whoever
// starts from one.
package examples

import "embed"

// Workflows has the files workflows/*.yaml that the demo runs: each ends within
// seconds after its event. The others wait for people, or for days.
//
//go:embed workflows/cancel-empty-meeting.yaml workflows/follow-up-meeting.yaml workflows/participant-report.yaml
//go:embed workflows/recording-link.yaml workflows/welcome-registrant.yaml
var Workflows embed.FS

// Code has the workflow that zflow demo --full adds: a step of it is JavaScript, which
// needs Node.js.
//
//go:embed workflows/topic-words.yaml
var Code embed.FS
