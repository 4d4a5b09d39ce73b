# What was undone begins again too.
> yaml
  steps:
    - { id: a, uses: write.it, undo: { uses: write.it } }
    - { id: b, uses: write.it }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {}
> ok {"n":1}
   3 2/10:00:00 step_completed a {"n":1}
   4 2/10:00:00 step_started b attempt 1
  → call b, attempt 1, with {}
> error final 400 no
   5 2/10:00:00 step_failed b final, fail: no
   6 2/10:00:00 run_ending  failed step b
   7 2/10:00:00 step_started a.undo attempt 1
  → call a.undo, attempt 1, with {}
> ok {}
   8 2/10:00:00 step_completed a.undo {}
   9 2/10:00:00 run_failed  step b: no
  → failed
> retry
  10 2/10:00:00 run_retried  (epoch 2)
  11 2/10:00:00 step_started a attempt 2
  → call a, attempt 2, with {}
> ok {"n":1}
  12 2/10:00:00 step_completed a {"n":1}
  13 2/10:00:00 step_started b attempt 2
  → call b, attempt 2, with {}
> ok {"n":2}
  14 2/10:00:00 step_completed b {"n":2}
  15 2/10:00:00 run_completed
  → completed
