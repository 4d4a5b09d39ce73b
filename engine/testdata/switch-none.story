# Where no case holds and there is no else, the switch is skipped.
> yaml
  steps:
    - id: s
      switch:
        - { if: event.n > 10, steps: [ { id: a, set: big } ] }
  output: ${{ [steps.s.status, steps.s.output, steps.a.output] }}
> start {"n":5}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_skipped s, since no case holds
   3 2/10:00:00 run_completed  ["skipped",null,null]
  → completed
