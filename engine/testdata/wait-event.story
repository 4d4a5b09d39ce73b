# A wait for an event: one for which the if does not hold changes nothing, the next
# ends it.
> yaml
  steps:
    - id: w
      wait_for:
        event: order.paid
        match: { order: "${{ event.id }}" }
        if: arrived.total > 10
  output: ${{ [steps.w.outcome, steps.w.output.total] }}
> start {"id":7}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 wait_started w for app order.paid where order is 7
  → park
> arrive w {"order":"7","total":5}
  it is not what w waits for
> arrive w {"order":"7","total":50}
   3 2/10:00:00 wait_ended w (epoch 2) arrived {"order":"7","total":50}
   4 2/10:00:00 run_completed  ["arrived",50]
  → completed
> arrive w {"order":"7","total":60}
  nothing waits for it
