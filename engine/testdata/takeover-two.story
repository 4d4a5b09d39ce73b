# The owner is lost with two calls in flight: each is decided by its own policy.
> yaml
  steps:
    - parallel:
        left: [ { id: a, uses: write.it } ]
        right: [ { id: b, uses: idempotent.it } ]
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 branch_chosen parallel#1
   3 2/10:00:00 step_started parallel#1.left.a attempt 1
   4 2/10:00:00 step_started parallel#1.right.b attempt 1
  → call parallel#1.left.a, attempt 1, with {}
  → call parallel#1.right.b, attempt 1, with {}
> takeover
   5 2/10:00:00 run_claimed  (epoch 2)
   6 2/10:00:00 step_failed parallel#1.left.a unknown, ask: the worker was lost during the attempt: whether it happened is unknown
   7 2/10:00:00 step_failed parallel#1.right.b unknown, retry at 2/10:00:00: the worker was lost during the attempt: whether it happened is unknown
   8 2/10:00:00 step_started parallel#1.right.b attempt 2
  → call parallel#1.right.b, attempt 2, with {}
> ok @parallel#1.right.b {"n":2}
   9 2/10:00:00 step_completed parallel#1.right.b {"n":2}
  → park
> approve parallel#1.left.a done {"n":1}
  10 2/10:00:00 approval_given parallel#1.left.a (epoch 3) done {"n":1}
  11 2/10:00:00 step_completed parallel#1
  12 2/10:00:00 run_completed
  → completed
