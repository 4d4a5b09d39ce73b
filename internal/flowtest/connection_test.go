package flowtest

import "testing"

const tells = `
name: tells
on:
  - { zoom: meeting.ended, connection: [office, school], if: "trigger.connection != 'office'" }
  - { event: order.paid }
steps: [ { sleep: 1h } ]
output: "${{ trigger.connection }}"
`

// The connection of an event is a fact: a run has it still after a crash.
func TestConnectionsOfEvents(t *testing.T) {
	passes(t, tells, `
event: { type: meeting.ended }
tests:
  - { name: an account of a connection, event: { connection: school }, then: [ { after: 1m, crash: true } ], expect: { status: completed, output: school } }
  - { name: of one that the trigger does not want, event: { connection: home }, expect: { status: not_started } }
  - { name: of one that its if does not want, event: { connection: office }, expect: { status: not_started } }
  - { name: of nobody, expect: { status: not_started } }
  - { name: any is wanted, event: { type: order.paid, connection: home }, expect: { status: completed, output: home } }
  - { name: any is wanted and none there, event: { type: order.paid }, expect: { status: completed, output: "" } }
`)
}
