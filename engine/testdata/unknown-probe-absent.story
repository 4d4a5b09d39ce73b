# The probe fails once, then finds nothing: the call is made again.
> step a probed
> start {"id":1}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"id":1}
> takeover
   3 2/10:00:00 run_claimed  (epoch 2)
   4 2/10:00:00 step_failed a unknown, probe at 2/10:00:00: the worker was lost during the attempt: whether it happened is unknown
  → probe attempt 1 of a
> error retryable 503 busy
   5 2/10:00:00 step_failed a unknown, probe at 2/10:00:01.938: busy
  → wait in memory until 2/10:00:01.938
> after 3s
  → probe attempt 1 of a
> nothing
   6 2/10:00:03 step_failed a absent, retry at 2/10:00:03: the attempt of unknown outcome had not happened
   7 2/10:00:03 step_started a attempt 2
  → call a, attempt 2, with {"id":1}
> ok {"n":1}
   8 2/10:00:03 step_completed a {"n":1}
   9 2/10:00:03 run_completed
  → completed
