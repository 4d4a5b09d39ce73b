# The whole run may take a minute; the wake of its deadline ends it.
> workflow 1m
> step a sleep 1h
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 timer_set a for sleep until 2/11:00:00
  → park
> pass 61s
> wake
   3 2/10:01:01 timer_fired  (epoch 2) of 0
   4 2/10:01:01 run_failed  timeout : the run took longer than the workflow's timeout of 1m0s
  → failed
