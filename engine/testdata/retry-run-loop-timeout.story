# The loop's time counts from the retry.
> yaml
  steps:
    - id: each
      for_each: [1, 2]
      timeout: 1h
      uses: write.it
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 loop_started each over [1,2], until 2/11:00:00
   3 2/10:00:00 timer_set each for limit until 2/11:00:00
   4 2/10:00:00 step_started each[0] attempt 1
  → call each[0], attempt 1, with {}
  → wait in memory until 2/11:00:00
> error final 400 no
   5 2/10:00:00 step_failed each[0] final, fail: no
   6 2/10:00:00 step_failed each final, fail: no
   7 2/10:00:00 run_failed  step each[0]: no
  → failed
> pass 2h
> retry
   8 2/12:00:00 run_retried  (epoch 2)
   9 2/12:00:00 loop_started each over , until 2/13:00:00
  10 2/12:00:00 timer_set each for limit until 2/13:00:00
  11 2/12:00:00 step_started each[0] attempt 2
  → call each[0], attempt 2, with {}
  → wait in memory until 2/13:00:00
> ok {"n":1}
  12 2/12:00:00 step_completed each[0] {"n":1}
  13 2/12:00:00 step_started each[1] attempt 1
  → call each[1], attempt 1, with {}
  → wait in memory until 2/13:00:00
> ok {"n":2}
  14 2/12:00:00 step_completed each[1] {"n":2}
  15 2/12:00:00 step_completed each
  16 2/12:00:00 run_completed
  → completed
