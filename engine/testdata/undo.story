# When a run fails, what completed is undone, the last first; then on_failure runs.
> yaml
  steps:
    - { id: a, uses: write.it, undo: { uses: write.it, with: { undo: "${{ steps.a.output.n }}" } } }
    - { id: b, if: false, uses: write.it, undo: { uses: write.it } }
    - { id: c, uses: write.it, undo: { uses: write.it, with: { undo: "${{ steps.c.output.n }}" } } }
    - { id: d, uses: write.it, undo: { uses: write.it } }
  on_failure: [ { id: o, set: done } ]
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {}
> ok {"n":1}
   3 2/10:00:00 step_completed a {"n":1}
   4 2/10:00:00 step_skipped b, since if is false
   5 2/10:00:00 step_started c attempt 1
  → call c, attempt 1, with {}
> ok {"n":2}
   6 2/10:00:00 step_completed c {"n":2}
   7 2/10:00:00 step_started d attempt 1
  → call d, attempt 1, with {}
> error final 400 no
   8 2/10:00:00 step_failed d final, fail: no
   9 2/10:00:00 run_ending  failed step d
  10 2/10:00:00 step_started c.undo attempt 1
  → call c.undo, attempt 1, with {"undo":2}
> ok {}
  11 2/10:00:00 step_completed c.undo {}
  12 2/10:00:00 step_started a.undo attempt 1
  → call a.undo, attempt 1, with {"undo":1}
> ok {}
  13 2/10:00:00 step_completed a.undo {}
  14 2/10:00:00 value_set on_failure.o "done"
  15 2/10:00:00 run_failed  step d: no
  → failed
