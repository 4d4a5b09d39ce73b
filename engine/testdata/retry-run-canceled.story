# A canceled run may be retried too: what was in flight is of unknown outcome, what
# slept sleeps again, what was skipped stays so.
> yaml
  steps:
    - { id: skipped, if: false, set: 1 }
    - parallel:
        left: [ { id: a, uses: write.it } ]
        right: [ { id: b, sleep: 1h } ]
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_skipped skipped, since if is false
   3 2/10:00:00 branch_chosen parallel#2
   4 2/10:00:00 step_started parallel#2.left.a attempt 1
   5 2/10:00:00 timer_set parallel#2.right.b for sleep until 2/11:00:00
  → call parallel#2.left.a, attempt 1, with {}
  → wait in memory until 2/11:00:00
> pass 10m
> cancel now
   6 2/10:10:00 cancel_requested  now
   7 2/10:10:00 run_canceled  asked for
  → canceled
> retry
   8 2/10:10:00 run_retried  (epoch 2)
   9 2/10:10:00 step_failed parallel#2.left.a unknown, ask: the worker was lost during the attempt: whether it happened is unknown
  10 2/10:10:00 timer_set parallel#2.right.b for sleep until 2/11:10:00
  → park
> approve parallel#2.left.a retry
  11 2/10:10:00 approval_given parallel#2.left.a (epoch 3) retry
  12 2/10:10:00 step_started parallel#2.left.a attempt 2
  → call parallel#2.left.a, attempt 2, with {}
  → wait in memory until 2/11:10:00
> ok {}
  13 2/10:10:00 step_completed parallel#2.left.a {}
  → park
