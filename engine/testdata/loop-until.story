# until ends a loop after the iteration for which it holds.
> yaml
  steps:
    - id: each
      for_each: [1, 2, 3]
      uses: read.it
      until: steps.each.output.done
  output: ${{ steps.each.output }}
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 loop_started each over [1,2,3]
   3 2/10:00:00 step_started each[0] attempt 1
  → call each[0], attempt 1, with {}
> ok {"done":false}
   4 2/10:00:00 step_completed each[0] {"done":false}
   5 2/10:00:00 step_started each[1] attempt 1
  → call each[1], attempt 1, with {}
> ok {"done":true}
   6 2/10:00:00 step_completed each[1] {"done":true}
   7 2/10:00:00 step_completed each
   8 2/10:00:00 run_completed  [{"done":false},{"done":true}]
  → completed
