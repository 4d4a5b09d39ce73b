# Calls go at most 20 levels deep.
> yaml
  steps: [ { id: child, call: story } ]
> called 20
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_failed child final, fail: calling story: the run was called 20 levels deep already
   3 2/10:00:00 run_failed  step child: calling story: the run was called 20 levels deep already
  → failed
