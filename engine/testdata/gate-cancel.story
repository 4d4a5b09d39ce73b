# One that is canceled before it got its place ends at once: nothing follows it.
> yaml
  steps:
    - { id: a, uses: write.it }
  finally:
    - { id: b, uses: write.it }
> queue {}
   1 2/10:00:00 run_started
   2 2/10:00:00 gate_queued
> cancel
   3 2/10:00:00 cancel_requested  (epoch 1)
   4 2/10:00:00 run_canceled  asked for
  → canceled
