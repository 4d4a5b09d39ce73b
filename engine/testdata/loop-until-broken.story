# until that cannot be evaluated fails the loop.
> yaml
  steps:
    - id: each
      for_each: [1, 2, 3]
      uses: read.it
      until: steps.each.output.done
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 loop_started each over [1,2,3]
   3 2/10:00:00 step_started each[0] attempt 1
  → call each[0], attempt 1, with {}
> ok {"n":1}
   4 2/10:00:00 step_completed each[0] {"n":1}
   5 2/10:00:00 step_failed each final, fail: evaluating until: steps.each.output.done is missing: add ?? false
   6 2/10:00:00 run_failed  step each: evaluating until: steps.each.output.done is missing: add ?? false
  → failed
