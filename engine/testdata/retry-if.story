# With an if, that alone decides; when the attempts are used up the run fails.
> step a write attempts=2 delay=1m retry_if=error.code==404
> start {"id":1}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"id":1}
> error final 404 not_ready
   3 2/10:00:00 step_failed a final, retry at 2/10:00:58.154: not_ready
   4 2/10:00:00 timer_set a for retry until 2/10:00:58.154
  → park
> pass 2m
> wake
   5 2/10:02:00 timer_fired a (epoch 2) of 4
   6 2/10:02:00 step_started a attempt 2
  → call a, attempt 2, with {"id":1}
> error final 404 not_ready
   7 2/10:02:00 step_failed a final, fail: not_ready
   8 2/10:02:00 run_failed  step a: not_ready
  → failed
