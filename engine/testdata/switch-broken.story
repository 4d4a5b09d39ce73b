# A case that cannot be evaluated fails the switch, whatever the others say.
> yaml
  steps:
    - id: s
      switch:
        - { if: event.n.x.y > 10, steps: [ { id: a, set: big } ] }
        - else: [ { id: a, set: few } ]
> start {"n":5}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_failed s final, fail: evaluating if of case1: cannot fetch x from int64
   3 2/10:00:00 run_failed  step s: evaluating if of case1: cannot fetch x from int64
  → failed
