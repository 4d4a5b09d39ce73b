# What is still to be found out when a branch beside it fails is dropped.
> yaml
  steps:
    - parallel:
        left: [ { id: a, uses: probed.it, on_unknown: probe } ]
        right: [ { id: b, uses: read.it, retry: { attempts: 1 } } ]
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 branch_chosen parallel#1
   3 2/10:00:00 step_started parallel#1.left.a attempt 1
   4 2/10:00:00 step_started parallel#1.right.b attempt 1
  → call parallel#1.left.a, attempt 1, with {}
  → call parallel#1.right.b, attempt 1, with {}
> error @parallel#1.left.a unknown 0 no_answer
   5 2/10:00:00 step_failed parallel#1.left.a unknown, probe at 2/10:00:00: no_answer
  → probe attempt 1 of parallel#1.left.a
  → parallel#1.right.b is under way
> error @parallel#1.right.b final 400 no
   6 2/10:00:00 step_failed parallel#1.right.b final, fail: no
   7 2/10:00:00 step_failed parallel#1 final, fail: no
   8 2/10:00:00 run_failed  step parallel#1.right.b: no
  → failed
