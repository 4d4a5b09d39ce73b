# A list that is longer than the workflow allows fails the loop before anything begins.
> yaml
  limits: { fan_out: 2 }
  steps:
    - { id: each, for_each: [1, 2, 3], uses: write.it }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_failed each final, fail: evaluating for_each: the list has 3 items, more than the 2 that limits.fan_out allows
   3 2/10:00:00 run_failed  step each: evaluating for_each: the list has 3 items, more than the 2 that limits.fan_out allows
  → failed
