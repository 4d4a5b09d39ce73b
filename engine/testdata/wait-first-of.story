# The first of several ends a wait, and gives it its outcome.
> yaml
  steps:
    - id: w
      wait_for:
        first_of:
          paid: { event: order.paid, match: { order: "${{ event.id }}" } }
          dropped: { signal: drop }
        timeout: 1d
  output: ${{ [steps.w.outcome, steps.w.output] }}
> start {"id":7}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 wait_started w for paid: app order.paid where order is 7, or dropped: signal drop, until 3/10:00:00
   3 2/10:00:00 timer_set w for wait until 3/10:00:00
  → park
> signal drop {"why":"late"}
   4 2/10:00:00 signal_received  (epoch 2) drop {"why":"late"}
   5 2/10:00:00 wait_ended w dropped {"why":"late"}
   6 2/10:00:00 run_completed  ["dropped",{"why":"late"}]
  → completed
> arrive w/paid {"order":"7"}
  nothing waits for it
