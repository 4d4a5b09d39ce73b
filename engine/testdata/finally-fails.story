# A finally that fails makes a run fail that would have completed.
> yaml
  steps: [ { id: a, set: 1 } ]
  finally: [ { id: f, uses: write.it }, { id: never, uses: write.it } ]
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 value_set a 1
   3 2/10:00:00 run_ending  completed
   4 2/10:00:00 step_started finally.f attempt 1
  → call finally.f, attempt 1, with {}
> error final 400 no
   5 2/10:00:00 step_failed finally.f final, fail: no
   6 2/10:00:00 run_failed  finally finally.f: no
  → failed
