# One branch fails while the call of another is in flight: that is awaited, nothing
# more begins, then the whole fails with the error of the first.
> yaml
  steps:
    - id: both
      parallel:
        left: [ { id: a, uses: write.it }, { id: a2, uses: write.it } ]
        right: [ { id: b, uses: write.it } ]
    - { id: never, set: 1 }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 branch_chosen both
   3 2/10:00:00 step_started both.left.a attempt 1
   4 2/10:00:00 step_started both.right.b attempt 1
  → call both.left.a, attempt 1, with {}
  → call both.right.b, attempt 1, with {}
> error @both.right.b final 400 no
   5 2/10:00:00 step_failed both.right.b final, fail: no
  → both.left.a is under way
> ok @both.left.a {"n":1}
   6 2/10:00:00 step_completed both.left.a {"n":1}
   7 2/10:00:00 step_failed both final, fail: no
   8 2/10:00:00 run_failed  step both.right.b: no
  → failed
