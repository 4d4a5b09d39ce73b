# What can be found out is probed: it had happened.
> step a probed
> start {"id":1}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"id":1}
> takeover
   3 2/10:00:00 run_claimed  (epoch 2)
   4 2/10:00:00 step_failed a unknown, probe at 2/10:00:00: the worker was lost during the attempt: whether it happened is unknown
  → probe attempt 1 of a
> found {"n":1}
   5 2/10:00:00 step_completed a {"n":1}
   6 2/10:00:00 run_completed
  → completed
