# A failed run that is retried goes on where it failed; what completed stays.
> yaml
  steps:
    - { id: a, uses: write.it }
    - { id: b, uses: write.it, with: { a: "${{ steps.a.output.n }}" } }
    - { id: c, set: "${{ steps.b.attempts }}" }
  on_failure: [ { id: o, set: 1 }, { if: false, set: 2 } ]
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {}
> ok {"n":1}
   3 2/10:00:00 step_completed a {"n":1}
   4 2/10:00:00 step_started b attempt 1
  → call b, attempt 1, with {"a":1}
> error final 400 no
   5 2/10:00:00 step_failed b final, fail: no
   6 2/10:00:00 run_ending  failed step b
   7 2/10:00:00 value_set on_failure.o 1
   8 2/10:00:00 step_skipped on_failure.set#2, since if is false
   9 2/10:00:00 run_failed  step b: no
  → failed
> retry
  10 2/10:00:00 run_retried  (epoch 2)
  11 2/10:00:00 step_started b attempt 2
  → call b, attempt 2, with {"a":1}
> ok {"n":2}
  12 2/10:00:00 step_completed b {"n":2}
  13 2/10:00:00 value_set c 2
  14 2/10:00:00 run_completed
  → completed
> retry
  refused: reading run run: fact 15 (run_retried) cannot follow: the run has neither failed nor been canceled
