# A retry keeps the branch that was chosen, and a timeout counts from the retry.
> yaml
  steps:
    - id: s
      timeout: 1h
      switch:
        - { if: event.n == 1, steps: [ { id: a, uses: write.it }, { id: b, sleep: 2h } ] }
        - else: [ { id: c, set: 1 } ]
> start {"n":1}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 branch_chosen s case1, until 2/11:00:00
   3 2/10:00:00 timer_set s for limit until 2/11:00:00
   4 2/10:00:00 step_started s.case1.a attempt 1
  → call s.case1.a, attempt 1, with {}
  → wait in memory until 2/11:00:00
> error final 400 no
   5 2/10:00:00 step_failed s.case1.a final, fail: no
   6 2/10:00:00 step_failed s final, fail: no
   7 2/10:00:00 run_failed  step s.case1.a: no
  → failed
> pass 3h
> retry
   8 2/13:00:00 run_retried  (epoch 2)
   9 2/13:00:00 branch_chosen s case1, until 2/14:00:00
  10 2/13:00:00 timer_set s for limit until 2/14:00:00
  11 2/13:00:00 step_started s.case1.a attempt 2
  → call s.case1.a, attempt 2, with {}
  → wait in memory until 2/14:00:00
> ok {}
  12 2/13:00:00 step_completed s.case1.a {}
  13 2/13:00:00 timer_set s.case1.b for sleep until 2/15:00:00
  → park
> pass 1h
> wake
  14 2/14:00:00 timer_fired s (epoch 3) of 10
  15 2/14:00:00 step_failed s final, fail: it took longer than its timeout of 1h0m0s
  16 2/14:00:00 run_failed  step s: it took longer than its timeout of 1h0m0s
  → failed
