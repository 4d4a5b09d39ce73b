# Three steps one after another, the second is skipped.
> step a write
> step b write if=event.id==7
> step c read
> start {"id":1}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"id":1}
> ok {"n":1}
   3 2/10:00:00 step_completed a {"n":1}
   4 2/10:00:00 step_skipped b, since if is false
   5 2/10:00:00 step_started c attempt 1
  → call c, attempt 1, with {"id":1}
> ok {"n":2}
   6 2/10:00:00 step_completed c {"n":2}
   7 2/10:00:00 run_completed
  → completed
