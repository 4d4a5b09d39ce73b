# After a cancel: finally runs, on_failure does not.
> yaml
  steps: [ { id: a, sleep: 1h } ]
  on_failure: [ { id: o, uses: write.it } ]
  finally: [ { id: f, uses: write.it } ]
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 timer_set a for sleep until 2/11:00:00
  → park
> cancel
   3 2/10:00:00 cancel_requested  (epoch 2)
   4 2/10:00:00 run_ending  canceled asked for
   5 2/10:00:00 step_started finally.f attempt 1
  → call finally.f, attempt 1, with {}
> ok {}
   6 2/10:00:00 step_completed finally.f {}
   7 2/10:00:00 run_canceled  asked for
  → canceled
