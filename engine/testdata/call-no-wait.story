# A call that is not waited for: the run goes on at once.
> yaml
  steps:
    - { id: child, call: license-check, wait: false }
    - { id: a, set: "${{ steps.child.status }}" }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 call_started child of license-check with {}, without waiting
   3 2/10:00:00 value_set a "completed"
   4 2/10:00:00 run_completed
  → completed
