# A run that waits for one that it called is canceled: so is the other.
> yaml
  steps: [ { id: child, call: license-check } ]
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 call_started child of license-check with {}
  → park
> cancel
   3 2/10:00:00 cancel_requested  (epoch 2)
   4 2/10:00:00 run_canceled  asked for
  → cancel the run that child called
  → canceled
