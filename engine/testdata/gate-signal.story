# A signal to a queued run is kept, and lets it in no sooner.
> yaml
  steps:
    - { id: w, wait_for: { signal: go } }
> queue {}
   1 2/10:00:00 run_started
   2 2/10:00:00 gate_queued
> signal go {"n":1}
   3 2/10:00:00 signal_received  (epoch 1) go {"n":1}
  → park
> enter
   4 2/10:00:00 gate_entered  (epoch 2)
   5 2/10:00:00 wait_started w for signal go
   6 2/10:00:00 wait_ended w arrived {"n":1}
   7 2/10:00:00 run_completed
  → completed
