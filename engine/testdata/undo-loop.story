# Each iteration that completed is undone by itself, the last first; the order is that
# in which they completed.
> yaml
  steps:
    - id: each
      for_each: [a, b, c]
      at_once: 3
      uses: write.it
      undo: { uses: write.it, with: { item: "${{ item }}", was: "${{ steps.each.output.n }}" } }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 loop_started each over ["a","b","c"]
   3 2/10:00:00 step_started each[0] attempt 1
   4 2/10:00:00 step_started each[1] attempt 1
   5 2/10:00:00 step_started each[2] attempt 1
  → call each[0], attempt 1, with {}
  → call each[1], attempt 1, with {}
  → call each[2], attempt 1, with {}
> ok @each[2] {"n":3}
   6 2/10:00:00 step_completed each[2] {"n":3}
  → each[0] is under way
  → each[1] is under way
> ok @each[0] {"n":1}
   7 2/10:00:00 step_completed each[0] {"n":1}
  → each[1] is under way
> error @each[1] final 400 no
   8 2/10:00:00 step_failed each[1] final, fail: no
   9 2/10:00:00 step_failed each final, fail: no
  10 2/10:00:00 run_ending  failed step each[1]
  11 2/10:00:00 step_started each[0].undo attempt 1
  → call each[0].undo, attempt 1, with {"item":"a","was":1}
> ok {}
  12 2/10:00:00 step_completed each[0].undo {}
  13 2/10:00:00 step_started each[2].undo attempt 1
  → call each[2].undo, attempt 1, with {"item":"c","was":3}
> ok {}
  14 2/10:00:00 step_completed each[2].undo {}
  15 2/10:00:00 run_failed  step each[1]: no
  → failed
