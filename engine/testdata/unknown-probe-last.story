# The probe finds nothing, and no attempt is left.
> step a probed attempts=1
> start {"id":1}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"id":1}
> takeover
   3 2/10:00:00 run_claimed  (epoch 2)
   4 2/10:00:00 step_failed a unknown, probe at 2/10:00:00: the worker was lost during the attempt: whether it happened is unknown
  → probe attempt 1 of a
> nothing
   5 2/10:00:00 step_failed a absent, fail: the attempt had not happened, and no attempt is left
   6 2/10:00:00 run_failed  step a: the attempt had not happened, and no attempt is left
  → failed
