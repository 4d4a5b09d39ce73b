# A loop of a group: its steps see the item, the index and those of their own iteration.
> yaml
  steps:
    - id: each
      for_each: [a, b]
      steps:
        - { id: one, set: "${{ item + string(index) }}" }
        - { id: two, uses: read.it, with: { one: "${{ steps.one.output }}" } }
  output: ${{ steps.each.output }}
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 loop_started each over ["a","b"]
   3 2/10:00:00 branch_chosen each[0]
   4 2/10:00:00 value_set each[0].one "a0"
   5 2/10:00:00 step_started each[0].two attempt 1
  → call each[0].two, attempt 1, with {"one":"a0"}
> ok {"n":1}
   6 2/10:00:00 step_completed each[0].two {"n":1}
   7 2/10:00:00 step_completed each[0]
   8 2/10:00:00 branch_chosen each[1]
   9 2/10:00:00 value_set each[1].one "b1"
  10 2/10:00:00 step_started each[1].two attempt 1
  → call each[1].two, attempt 1, with {"one":"b1"}
> ok {"n":2}
  11 2/10:00:00 step_completed each[1].two {"n":2}
  12 2/10:00:00 step_completed each[1]
  13 2/10:00:00 step_completed each
  14 2/10:00:00 run_completed  [{"one":"a0","two":{"n":1}},{"one":"b1","two":{"n":2}}]
  → completed
