# A question that nobody answers ends with the run's deadline.
> workflow 1m
> step a write
> start {"id":1}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"id":1}
> takeover
   3 2/10:00:00 run_claimed  (epoch 2)
   4 2/10:00:00 step_failed a unknown, ask: the worker was lost during the attempt: whether it happened is unknown
  → park
> pass 30s
> wake
  nothing is due
> pass 31s
> wake
   5 2/10:01:01 timer_fired  (epoch 3) of 0
   6 2/10:01:01 run_failed  timeout : the run took longer than the workflow's timeout of 1m0s
  → failed
