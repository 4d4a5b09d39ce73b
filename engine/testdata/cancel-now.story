# A cancel at once ends the run: nothing is awaited, undone or cleaned up.
> yaml
  steps:
    - { id: a, uses: write.it, undo: { uses: write.it } }
    - { id: b, uses: write.it }
  finally: [ { id: f, uses: write.it } ]
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {}
> ok {}
   3 2/10:00:00 step_completed a {}
   4 2/10:00:00 step_started b attempt 1
  → call b, attempt 1, with {}
> cancel now
   5 2/10:00:00 cancel_requested  now
   6 2/10:00:00 run_canceled  asked for
  → canceled
