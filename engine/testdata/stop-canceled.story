# A stop may cancel the run, with a message that says why.
> yaml
  steps:
    - steps: [ { if: event.n > 1, stop: { status: canceled, message: "${{ event.n }} are too many" } } ]
    - { id: never, set: 1 }
> start {"n":2}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 branch_chosen steps#1
   3 2/10:00:00 step_completed steps#1.stop#1
   4 2/10:00:00 run_canceled  2 are too many
  → canceled
