# A call that fails is made again: soon in memory, later from WAKES; a final
# error is not.
> step a write attempts=4 delay=1500ms
> start {"id":1}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"id":1}
> error retryable 503 busy
   3 2/10:00:00 step_failed a retryable, retry at 2/10:00:01.453: busy
  → wait in memory until 2/10:00:01.453
> after 2s
   4 2/10:00:02 step_started a attempt 2
  → call a, attempt 2, with {"id":1}
> error retryable 503 busy
   5 2/10:00:02 step_failed a retryable, retry at 2/10:00:04.905: busy
   6 2/10:00:02 timer_set a for retry until 2/10:00:04.905
  → park
> pass 1s
> wake
  nothing is due
> pass 3s
> wake
   7 2/10:00:06 timer_fired a (epoch 2) of 6
   8 2/10:00:06 step_started a attempt 3
  → call a, attempt 3, with {"id":1}
> error final 404 gone
   9 2/10:00:06 step_failed a final, fail: gone
  10 2/10:00:06 run_failed  step a: gone
  → failed
