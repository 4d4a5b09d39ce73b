# After a failure: first on_failure, then finally.
> yaml
  steps: [ { id: a, uses: write.it } ]
  on_failure: [ { id: o, uses: write.it } ]
  finally: [ { id: f, uses: write.it, with: { failed: "${{ failure.error.message }}" } } ]
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {}
> error final 400 no
   3 2/10:00:00 step_failed a final, fail: no
   4 2/10:00:00 run_ending  failed step a
   5 2/10:00:00 step_started on_failure.o attempt 1
  → call on_failure.o, attempt 1, with {}
> ok {}
   6 2/10:00:00 step_completed on_failure.o {}
   7 2/10:00:00 step_started finally.f attempt 1
  → call finally.f, attempt 1, with {"failed":"no"}
> ok {}
   8 2/10:00:00 step_completed finally.f {}
   9 2/10:00:00 run_failed  step a: no
  → failed
