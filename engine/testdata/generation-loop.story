# A new generation in the middle of a loop: what is done stays done.
> yaml
  steps:
    - id: each
      for_each: [1, 2]
      steps:
        - { id: a, uses: write.it, with: { n: "${{ item }}" } }
        - { id: b, wait_for: { signal: go } }
  output: ${{ steps.each.output }}
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 loop_started each over [1,2]
   3 2/10:00:00 branch_chosen each[0]
   4 2/10:00:00 step_started each[0].a attempt 1
  → call each[0].a, attempt 1, with {"n":1}
> ok {"n":1}
   5 2/10:00:00 step_completed each[0].a {"n":1}
   6 2/10:00:00 wait_started each[0].b for signal go
  → park
> continue
   7 2/10:00:00 run_continued  with 5 facts
> signal go "x"
   8 2/10:00:00 signal_received  (epoch 2) go "x"
   9 2/10:00:00 wait_ended each[0].b arrived "x"
  10 2/10:00:00 step_completed each[0]
  11 2/10:00:00 branch_chosen each[1]
  12 2/10:00:00 step_started each[1].a attempt 1
  → call each[1].a, attempt 1, with {"n":2}
> ok {"n":2}
  13 2/10:00:00 step_completed each[1].a {"n":2}
  14 2/10:00:00 wait_started each[1].b for signal go
  → park
> continue
  15 2/10:00:00 run_continued  with 11 facts
> continue
  16 2/10:00:00 run_continued  with 11 facts
> signal go "y"
  17 2/10:00:00 signal_received  (epoch 3) go "y"
  18 2/10:00:00 wait_ended each[1].b arrived "y"
  19 2/10:00:00 step_completed each[1]
  20 2/10:00:00 step_completed each
  21 2/10:00:00 run_completed  [{"a":{"n":1},"b":"x"},{"a":{"n":2},"b":"y"}]
  → completed
