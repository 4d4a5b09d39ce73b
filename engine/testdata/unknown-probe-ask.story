# A probe that cannot tell leaves it to a person.
> step a probed
> start {"id":1}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"id":1}
> takeover
   3 2/10:00:00 run_claimed  (epoch 2)
   4 2/10:00:00 step_failed a unknown, probe at 2/10:00:00: the worker was lost during the attempt: whether it happened is unknown
  → probe attempt 1 of a
> error final 403 not_allowed
   5 2/10:00:00 step_failed a unknown, ask: not_allowed
  → park
> approve a done
   6 2/10:00:00 approval_given a (epoch 3) done
   7 2/10:00:00 run_completed
  → completed
