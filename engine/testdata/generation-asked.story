# A new generation keeps what a person said of an attempt.
> step a write
> step b sleep 720h
> start {"id":1}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"id":1}
> takeover
   3 2/10:00:00 run_claimed  (epoch 2)
   4 2/10:00:00 step_failed a unknown, ask: the worker was lost during the attempt: whether it happened is unknown
  → park
> approve a done {"n":1}
   5 2/10:00:00 approval_given a (epoch 3) done {"n":1}
   6 2/10:00:00 timer_set b for sleep until 1/10:00:00
  → park
> pass 360h
> continue
   7 17/10:00:00 run_continued  with 5 facts
> pass 360h
> wake
   8 1/10:00:00 timer_fired b (epoch 4) of 6
   9 1/10:00:00 run_completed
  → completed
