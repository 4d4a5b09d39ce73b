# A call in a group must be over when the group is; what it brings late is still recorded.
> yaml
  steps:
    - id: g
      timeout: 1m
      steps: [ { id: a, uses: write.it }, { id: b, uses: write.it } ]
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 branch_chosen g , until 2/10:01:00
   3 2/10:00:00 timer_set g for limit until 2/10:01:00
   4 2/10:00:00 step_started g.a attempt 1
  → call g.a, attempt 1, with {}
  → wait in memory until 2/10:01:00
> after 61s
  → g.a is under way
> ok {"n":1}
   5 2/10:01:01 step_completed g.a {"n":1}
   6 2/10:01:01 step_failed g final, fail: it took longer than its timeout of 1m0s
   7 2/10:01:01 run_failed  step g: it took longer than its timeout of 1m0s
  → failed
