# A person says that it failed.
> step a write
> start {"id":1}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"id":1}
> takeover
   3 2/10:00:00 run_claimed  (epoch 2)
   4 2/10:00:00 step_failed a unknown, ask: the worker was lost during the attempt: whether it happened is unknown
  → park
> approve a perhaps
  refused: reading run run: fact 5 (approval_given) cannot follow: step a can be answered with retry, done, fail
> approve a fail
   5 2/10:00:00 approval_given a (epoch 3) fail
   6 2/10:00:00 run_failed  step a: the worker was lost during the attempt: whether it happened is unknown
  → failed
