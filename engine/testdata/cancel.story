# A parked run is canceled; nothing follows the end.
> step a sleep 1h
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 timer_set a for sleep until 2/11:00:00
  → park
> cancel
   3 2/10:00:00 cancel_requested  (epoch 2)
   4 2/10:00:00 run_canceled  asked for
  → canceled
> wake
  nothing is due
> cancel
  refused: reading run run: fact 5 (cancel_requested) cannot follow: the run has ended
