# A short sleep stays in memory, a long one parks; a wake that comes early does nothing.
> step a sleep 1s
> step b sleep 1h
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 timer_set a for sleep until 2/10:00:01
  → wait in memory until 2/10:00:01
> after 1s
   3 2/10:00:01 timer_fired a of 2
   4 2/10:00:01 timer_set b for sleep until 2/11:00:01
  → park
> pass 30m
> wake
  nothing is due
> pass 31m
> wake
   5 2/11:01:01 timer_fired b (epoch 2) of 4
   6 2/11:01:01 run_completed
  → completed
