# In a loop, the iterations that completed stay; the others begin again, with the
# corrected input where one is given.
> yaml
  steps:
    - id: each
      for_each: [1, 2, 3]
      uses: write.it
      with: { n: "${{ item }}" }
  output: ${{ steps.each.output }}
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 loop_started each over [1,2,3]
   3 2/10:00:00 step_started each[0] attempt 1
  → call each[0], attempt 1, with {"n":1}
> ok {"n":"one"}
   4 2/10:00:00 step_completed each[0] {"n":"one"}
   5 2/10:00:00 step_started each[1] attempt 1
  → call each[1], attempt 1, with {"n":2}
> error final 400 no
   6 2/10:00:00 step_failed each[1] final, fail: no
   7 2/10:00:00 step_failed each final, fail: no
   8 2/10:00:00 run_failed  step each[1]: no
  → failed
> retry each[1]={"n":22}
   9 2/10:00:00 run_retried  (epoch 2) with each[1]={"n":22}
  10 2/10:00:00 step_started each[1] attempt 2
  → call each[1], attempt 2, with {"n":22}
> ok {"n":"two"}
  11 2/10:00:00 step_completed each[1] {"n":"two"}
  12 2/10:00:00 step_started each[2] attempt 1
  → call each[2], attempt 1, with {"n":3}
> ok {"n":"three"}
  13 2/10:00:00 step_completed each[2] {"n":"three"}
  14 2/10:00:00 step_completed each
  15 2/10:00:00 run_completed  [{"n":"one"},{"n":"two"},{"n":"three"}]
  → completed
