# A cancel while the run cleans up changes nothing; one at once ends it.
> yaml
  steps: [ { id: a, set: 1 } ]
  finally: [ { id: f, uses: write.it }, { id: g, uses: write.it } ]
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 value_set a 1
   3 2/10:00:00 run_ending  completed
   4 2/10:00:00 step_started finally.f attempt 1
  → call finally.f, attempt 1, with {}
> cancel
   5 2/10:00:00 cancel_requested
  → finally.f is under way
> ok {}
   6 2/10:00:00 step_completed finally.f {}
   7 2/10:00:00 step_started finally.g attempt 1
  → call finally.g, attempt 1, with {}
> cancel now
   8 2/10:00:00 cancel_requested  now
   9 2/10:00:00 run_canceled  asked for
  → canceled
