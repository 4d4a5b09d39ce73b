# A loop that lasts too long fails as a whole.
> yaml
  steps:
    - id: each
      for_each: [1, 2, 3]
      timeout: 1m
      steps: [ { sleep: 40s } ]
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 loop_started each over [1,2,3], until 2/10:01:00
   3 2/10:00:00 timer_set each for limit until 2/10:01:00
   4 2/10:00:00 branch_chosen each[0] , until 2/10:01:00
   5 2/10:00:00 timer_set each[0].sleep#1 for sleep until 2/10:00:40
  → park
> pass 40s
> wake
   6 2/10:00:40 timer_fired each[0].sleep#1 (epoch 2) of 5
   7 2/10:00:40 step_completed each[0]
   8 2/10:00:40 branch_chosen each[1] , until 2/10:01:00
   9 2/10:00:40 timer_set each[1].sleep#1 for sleep until 2/10:01:20
  → park
> pass 20s
> wake
  10 2/10:01:00 timer_fired each (epoch 3) of 3
  11 2/10:01:00 step_failed each final, fail: it took longer than its timeout of 1m0s
  12 2/10:01:00 run_failed  step each: it took longer than its timeout of 1m0s
  → failed
