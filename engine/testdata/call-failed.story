# The called run fails, and so does the step.
> yaml
  steps:
    - { id: child, call: license-check, continue_on_error: true }
    - { id: again, call: license-check, with: { was: "${{ steps.child.error.message }}" } }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 call_started child of license-check with {}
  → park
> ended child failed
   3 2/10:00:00 call_ended child (epoch 2) failed
   4 2/10:00:00 call_started again of license-check with {"was":"the called run is failed"}
  → park
> ended again canceled
   5 2/10:00:00 call_ended again (epoch 3) canceled
   6 2/10:00:00 run_failed  step again: the called run is canceled
  → failed
