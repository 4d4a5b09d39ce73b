# A loop that until has ended is not gone on with when the run is retried.
> yaml
  steps:
    - { id: each, for_each: [1, 2], set: "${{ item }}", until: steps.each.output == 1 }
    - { id: a, uses: write.it }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 loop_started each over [1,2]
   3 2/10:00:00 value_set each[0] 1
   4 2/10:00:00 step_completed each
   5 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {}
> error final 400 no
   6 2/10:00:00 step_failed a final, fail: no
   7 2/10:00:00 run_failed  step a: no
  → failed
> retry
   8 2/10:00:00 run_retried  (epoch 2)
   9 2/10:00:00 step_started a attempt 2
  → call a, attempt 2, with {}
> ok {}
  10 2/10:00:00 step_completed a {}
  11 2/10:00:00 run_completed
  → completed
