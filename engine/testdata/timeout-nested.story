# A group in a group that has a timeout: there is one timer for both.
> yaml
  steps:
    - id: outer
      timeout: 10m
      steps:
        - { id: inner, timeout: 20m, steps: [ { id: a, sleep: 1h } ] }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 branch_chosen outer , until 2/10:10:00
   3 2/10:00:00 timer_set outer for limit until 2/10:10:00
   4 2/10:00:00 branch_chosen outer.inner , until 2/10:10:00
   5 2/10:00:00 timer_set outer.inner.a for sleep until 2/11:00:00
  → park
> pass 10m
> wake
   6 2/10:10:00 timer_fired outer (epoch 2) of 3
   7 2/10:10:00 step_failed outer final, fail: it took longer than its timeout of 10m0s
   8 2/10:10:00 run_failed  step outer: it took longer than its timeout of 10m0s
  → failed
