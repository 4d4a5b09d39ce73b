# Six owners in a row are lost in the middle of an attempt.
> step a idempotent attempts=20
> start {"id":1}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"id":1}
> takeover
   3 2/10:00:00 run_claimed  (epoch 2)
   4 2/10:00:00 step_failed a unknown, retry at 2/10:00:00: the worker was lost during the attempt: whether it happened is unknown
   5 2/10:00:00 step_started a attempt 2
  → call a, attempt 2, with {"id":1}
> takeover
   6 2/10:00:00 run_claimed  (epoch 3)
   7 2/10:00:00 step_failed a unknown, retry at 2/10:00:00: the worker was lost during the attempt: whether it happened is unknown
   8 2/10:00:00 step_started a attempt 3
  → call a, attempt 3, with {"id":1}
> takeover
   9 2/10:00:00 run_claimed  (epoch 4)
  10 2/10:00:00 step_failed a unknown, retry at 2/10:00:00: the worker was lost during the attempt: whether it happened is unknown
  11 2/10:00:00 step_started a attempt 4
  → call a, attempt 4, with {"id":1}
> takeover
  12 2/10:00:00 run_claimed  (epoch 5)
  13 2/10:00:00 step_failed a unknown, retry at 2/10:00:00: the worker was lost during the attempt: whether it happened is unknown
  14 2/10:00:00 step_started a attempt 5
  → call a, attempt 5, with {"id":1}
> takeover
  15 2/10:00:00 run_claimed  (epoch 6)
  16 2/10:00:00 step_failed a unknown, retry at 2/10:00:00: the worker was lost during the attempt: whether it happened is unknown
  17 2/10:00:00 step_started a attempt 6
  → call a, attempt 6, with {"id":1}
> takeover
  18 2/10:00:00 run_claimed  (epoch 7)
  19 2/10:00:00 step_failed a unknown, retry at 2/10:00:00: the worker was lost during the attempt: whether it happened is unknown
  20 2/10:00:00 run_failed  poison : six workers in a row were lost in the middle of an attempt
  → failed
