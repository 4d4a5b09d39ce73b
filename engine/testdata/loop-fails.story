# Without it the loop fails by the first: nothing more begins, what is in flight is awaited.
> yaml
  steps:
    - id: each
      for_each: [1, 2, 3, 4]
      at_once: 2
      uses: write.it
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 loop_started each over [1,2,3,4]
   3 2/10:00:00 step_started each[0] attempt 1
   4 2/10:00:00 step_started each[1] attempt 1
  → call each[0], attempt 1, with {}
  → call each[1], attempt 1, with {}
> error @each[0] final 400 no
   5 2/10:00:00 step_failed each[0] final, fail: no
  → each[1] is under way
> ok @each[1] {"n":2}
   6 2/10:00:00 step_completed each[1] {"n":2}
   7 2/10:00:00 step_failed each final, fail: no
   8 2/10:00:00 run_failed  step each[0]: no
  → failed
