# Who is inside does not enter again.
> step a write
> queue {}
   1 2/10:00:00 run_started
   2 2/10:00:00 gate_queued
> enter
   3 2/10:00:00 gate_entered  (epoch 1)
   4 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"id":null}
> enter
  refused: reading run run: fact 5 (gate_entered) cannot follow: the run does not wait at a gate
