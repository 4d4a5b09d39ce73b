# What may happen twice is called again at once.
> step a idempotent
> start {"id":1}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"id":1}
> takeover
   3 2/10:00:00 run_claimed  (epoch 2)
   4 2/10:00:00 step_failed a unknown, retry at 2/10:00:00: the worker was lost during the attempt: whether it happened is unknown
   5 2/10:00:00 step_started a attempt 2
  → call a, attempt 2, with {"id":1}
> ok {"n":1}
   6 2/10:00:00 step_completed a {"n":1}
   7 2/10:00:00 run_completed
  → completed
