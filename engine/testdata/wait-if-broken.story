# An if that cannot be evaluated fails the wait.
> yaml
  steps:
    - { id: w, wait_for: { event: order.paid, match: { order: "1" }, if: arrived.total > 10 } }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 wait_started w for app order.paid where order is 1
  → park
> arrive w {"order":"1","total":"many"}
   3 2/10:00:00 step_failed w (epoch 2) final, fail: evaluating if: > does not work with text and a number: int() makes a number of a text
   4 2/10:00:00 run_failed  step w: evaluating if: > does not work with text and a number: int() makes a number of a text
  → failed
