# An undo that fails is recorded, and the others follow.
> yaml
  steps:
    - { id: a, uses: write.it, undo: { uses: write.it } }
    - { id: b, uses: write.it, undo: { uses: write.it } }
    - { id: c, stop: { status: failed, message: no } }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {}
> ok {}
   3 2/10:00:00 step_completed a {}
   4 2/10:00:00 step_started b attempt 1
  → call b, attempt 1, with {}
> ok {}
   5 2/10:00:00 step_completed b {}
   6 2/10:00:00 step_completed c
   7 2/10:00:00 run_ending  failed stop c
   8 2/10:00:00 step_started b.undo attempt 1
  → call b.undo, attempt 1, with {}
> error final 409 cannot
   9 2/10:00:00 step_failed b.undo final, fail: cannot
  10 2/10:00:00 step_started a.undo attempt 1
  → call a.undo, attempt 1, with {}
> ok {}
  11 2/10:00:00 step_completed a.undo {}
  12 2/10:00:00 run_failed  stop c: no
  → failed
