# A branch that fails as it begins: the call that another began in the same moment is
# made and awaited.
> yaml
  steps:
    - id: both
      parallel:
        left: [ { id: a, uses: write.it } ]
        right: [ { id: b, set: "${{ event.nothing.there }}" } ]
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 branch_chosen both
   3 2/10:00:00 step_started both.left.a attempt 1
   4 2/10:00:00 step_failed both.right.b final, fail: evaluating set: event.nothing is missing, so event.nothing.there cannot be read: if it may be absent, write event.nothing?.there ?? ''
  → call both.left.a, attempt 1, with {}
> ok {"n":1}
   5 2/10:00:00 step_completed both.left.a {"n":1}
   6 2/10:00:00 step_failed both final, fail: evaluating set: event.nothing is missing, so event.nothing.there cannot be read: if it may be absent, write event.nothing?.there ?? ''
   7 2/10:00:00 run_failed  step both.right.b: evaluating set: event.nothing is missing, so event.nothing.there cannot be read: if it may be absent, write event.nothing?.there ?? ''
  → failed
