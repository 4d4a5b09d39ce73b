# So does one whose time is over.
> workflow 1m
> step a write
> queue {}
   1 2/10:00:00 run_started
   2 2/10:00:00 gate_queued
> pass 2m
> wake
   3 2/10:02:00 timer_fired  (epoch 1) of 0
   4 2/10:02:00 run_failed  timeout : the run took longer than the workflow's timeout of 1m0s
  → failed
> enter
  refused: reading run run: fact 5 (gate_entered) cannot follow: the run has ended
