# A run that outlives the limits begins a new generation and goes on.
> step a write
> step b sleep 720h
> step c read
> start {"id":1}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"id":1}
> ok {"n":1}
   3 2/10:00:00 step_completed a {"n":1}
   4 2/10:00:00 timer_set b for sleep until 1/10:00:00
  → park
> pass 360h
> continue
   5 17/10:00:00 run_continued  with 3 facts
> pass 360h
> wake
   6 1/10:00:00 timer_fired b (epoch 2) of 4
   7 1/10:00:00 step_started c attempt 1
  → call c, attempt 1, with {"id":1}
> ok {"n":2}
   8 1/10:00:00 step_completed c {"n":2}
   9 1/10:00:00 run_completed
  → completed
