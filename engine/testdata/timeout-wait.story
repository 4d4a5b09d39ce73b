# A wait that lasts too long fails its step, and so the run.
> yaml
  steps:
    - { id: w, wait_for: { signal: go, timeout: 1h } }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 wait_started w for signal go, until 2/11:00:00
   3 2/10:00:00 timer_set w for wait until 2/11:00:00
  → park
> pass 1h
> wake
   4 2/11:00:00 timer_fired w (epoch 2) of 3
   5 2/11:00:00 wait_ended w timeout , which fails the step
   6 2/11:00:00 run_failed  step w: nothing came in time
  → failed
