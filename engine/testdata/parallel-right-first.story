# The same, with the right one first: the output is the same.
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
> ok @both.right.b {"n":2}
   5 2/10:00:00 step_completed both.right.b {"n":2}
  → both.left.a is under way
> ok @both.left.a {"n":1}
   6 2/10:00:00 step_completed both.left.a {"n":1}
   7 2/10:00:00 value_set both.left.a2 1
   8 2/10:00:00 step_completed both
   9 2/10:00:00 run_completed  {"left":{"a":{"n":1},"a2":1},"right":{"b":{"n":2}}}
  → completed
