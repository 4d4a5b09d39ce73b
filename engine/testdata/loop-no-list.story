# A loop over what is no list fails, and says what it got.
> yaml
  steps:
    - { id: each, for_each: "${{ event.names }}", uses: write.it }
> start {"names":{"a":1}}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_failed each final, fail: evaluating for_each: it is an object, where a list is needed
   3 2/10:00:00 run_failed  step each: evaluating for_each: it is an object, where a list is needed
  → failed
