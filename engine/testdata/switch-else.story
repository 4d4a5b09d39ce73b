# Where no case holds, else is taken; the id of exclusive branches is that of the taken one.
> yaml
  steps:
    - id: s
      switch:
        - { if: event.n > 10, steps: [ { id: a, set: big }, { id: only_big, set: 1 } ] }
        - else: [ { id: a, set: few } ]
  output: ${{ [steps.s.output, steps.a.output, steps.only_big.status] }}
> start {"n":5}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 branch_chosen s else
   3 2/10:00:00 value_set s.else.a "few"
   4 2/10:00:00 step_completed s
   5 2/10:00:00 run_completed  [{"a":"few"},"few","skipped"]
  → completed
