# A group that lasts too long fails, though it sleeps.
> yaml
  steps:
    - id: g
      timeout: 1m
      continue_on_error: true
      steps: [ { id: a, uses: write.it }, { id: b, sleep: 1h } ]
    - { id: after, set: "${{ [steps.g.status, steps.g.error.message, steps.a.status, steps.b.status] }}" }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 branch_chosen g , until 2/10:01:00
   3 2/10:00:00 timer_set g for limit until 2/10:01:00
   4 2/10:00:00 step_started g.a attempt 1
  → call g.a, attempt 1, with {}
  → wait in memory until 2/10:01:00
> pass 10s
> ok {"n":1}
   5 2/10:00:10 step_completed g.a {"n":1}
   6 2/10:00:10 timer_set g.b for sleep until 2/11:00:10
  → park
> pass 50s
> wake
   7 2/10:01:00 timer_fired g (epoch 2) of 3
   8 2/10:01:00 step_failed g final, fail: it took longer than its timeout of 1m0s
   9 2/10:01:00 value_set after ["failed","it took longer than its timeout of 1m0s","completed","canceled"]
  10 2/10:01:00 run_completed
  → completed
