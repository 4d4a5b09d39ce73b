# A run with a concurrency key waits at its gate before anything of it begins.
> step a write
> queue {}
   1 2/10:00:00 run_started
   2 2/10:00:00 gate_queued
> enter
   3 2/10:00:00 gate_entered  (epoch 1)
   4 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"id":null}
> ok {}
   5 2/10:00:00 step_completed a {}
   6 2/10:00:00 run_completed
  → completed
