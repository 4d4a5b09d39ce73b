# A cancel awaits the call in flight, whose outcome counts: it is undone.
> yaml
  steps:
    - { id: a, uses: write.it, undo: { uses: write.it } }
    - { id: b, uses: write.it }
  finally: [ { id: f, uses: write.it } ]
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {}
> cancel
   3 2/10:00:00 cancel_requested
   4 2/10:00:00 run_ending  canceled asked for
  → a is under way
> ok {}
   5 2/10:00:00 step_completed a {}
   6 2/10:00:00 step_started a.undo attempt 1
  → call a.undo, attempt 1, with {}
> ok {}
   7 2/10:00:00 step_completed a.undo {}
   8 2/10:00:00 step_started finally.f attempt 1
  → call finally.f, attempt 1, with {}
> ok {}
   9 2/10:00:00 step_completed finally.f {}
  10 2/10:00:00 run_canceled  asked for
  → canceled
