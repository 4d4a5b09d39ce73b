# A wait for nothing in particular cannot begin.
> yaml
  steps:
    - { id: w, wait_for: { event: order.paid, match: { order: "${{ event.id }}" } } }
> start {"id":null}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_failed w final, fail: evaluating match: the value for order is null
   3 2/10:00:00 run_failed  step w: evaluating match: the value for order is null
  → failed
