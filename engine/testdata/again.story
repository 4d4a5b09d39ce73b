# A start that grew too old before the call began is recorded again; the attempt is the same.
> step a write
> start {"id":1}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"id":1}
> pass 5s
> again a
   3 2/10:00:05 step_started a attempt 1
  → a is under way
> ok {}
   4 2/10:00:05 step_completed a {}
   5 2/10:00:05 run_completed
  → completed
