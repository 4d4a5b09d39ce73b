# Branches call at the same time; the left one is answered first.
> yaml
  steps:
    - id: both
      parallel:
        left: [ { id: a, uses: read.it }, { id: a2, set: "${{ steps.a.output.n }}" } ]
        right: [ { id: b, uses: read.it } ]
  output: ${{ steps.both.output }}
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 branch_chosen both
   3 2/10:00:00 step_started both.left.a attempt 1
   4 2/10:00:00 step_started both.right.b attempt 1
  → call both.left.a, attempt 1, with {}
  → call both.right.b, attempt 1, with {}
> ok @both.left.a {"n":1}
   5 2/10:00:00 step_completed both.left.a {"n":1}
   6 2/10:00:00 value_set both.left.a2 1
  → both.right.b is under way
> ok @both.right.b {"n":2}
   7 2/10:00:00 step_completed both.right.b {"n":2}
   8 2/10:00:00 step_completed both
   9 2/10:00:00 run_completed  {"left":{"a":{"n":1},"a2":1},"right":{"b":{"n":2}}}
  → completed
