# A switch takes the first case that holds, though others would too.
> yaml
  steps:
    - id: s
      switch:
        - { if: event.n > 100, steps: [ { id: a, set: huge } ] }
        - { if: event.n > 10, steps: [ { id: a, set: big } ] }
        - { if: event.n > 1, steps: [ { id: a, set: some } ] }
        - else: [ { id: a, set: few } ]
  output: ${{ [steps.s.output, steps.a.output] }}
> start {"n":50}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 branch_chosen s case2
   3 2/10:00:00 value_set s.case2.a "big"
   4 2/10:00:00 step_completed s
   5 2/10:00:00 run_completed  [{"a":"big"},"big"]
  → completed
