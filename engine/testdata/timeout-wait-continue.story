# With on_timeout continue, the run goes on.
> yaml
  steps:
    - { id: w, wait_for: { signal: go, timeout: 1h, on_timeout: continue } }
  output: ${{ [steps.w.outcome, steps.w.output, steps.w.status] }}
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 wait_started w for signal go, until 2/11:00:00
   3 2/10:00:00 timer_set w for wait until 2/11:00:00
  → park
> pass 1h
> wake
   4 2/11:00:00 timer_fired w (epoch 2) of 3
   5 2/11:00:00 wait_ended w timeout
   6 2/11:00:00 run_completed  ["timeout",null,"completed"]
  → completed
