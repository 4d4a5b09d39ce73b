# With continue_on_error an iteration that fails is null in the output, and the others go on.
> yaml
  steps:
    - id: each
      for_each: [1, 2, 3]
      uses: write.it
      continue_on_error: true
  output: ${{ [steps.each.status, steps.each.output] }}
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 loop_started each over [1,2,3]
   3 2/10:00:00 step_started each[0] attempt 1
  → call each[0], attempt 1, with {}
> ok {"n":1}
   4 2/10:00:00 step_completed each[0] {"n":1}
   5 2/10:00:00 step_started each[1] attempt 1
  → call each[1], attempt 1, with {}
> error final 400 no
   6 2/10:00:00 step_failed each[1] final, fail: no
   7 2/10:00:00 step_started each[2] attempt 1
  → call each[2], attempt 1, with {}
> ok {"n":3}
   8 2/10:00:00 step_completed each[2] {"n":3}
   9 2/10:00:00 step_completed each
  10 2/10:00:00 run_completed  ["completed",[{"n":1},null,{"n":3}]]
  → completed
