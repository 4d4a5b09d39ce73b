# Two at a time: the third begins when one of the first two has ended. The output has
# the order of the list.
> yaml
  steps:
    - id: each
      for_each: [1, 2, 3]
      at_once: 2
      uses: read.it
      with: { n: "${{ item }}" }
  output: ${{ steps.each.output }}
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 loop_started each over [1,2,3]
   3 2/10:00:00 step_started each[0] attempt 1
   4 2/10:00:00 step_started each[1] attempt 1
  → call each[0], attempt 1, with {"n":1}
  → call each[1], attempt 1, with {"n":2}
> ok @each[1] {"n":"second"}
   5 2/10:00:00 step_completed each[1] {"n":"second"}
   6 2/10:00:00 step_started each[2] attempt 1
  → each[0] is under way
  → call each[2], attempt 1, with {"n":3}
> ok @each[2] {"n":"third"}
   7 2/10:00:00 step_completed each[2] {"n":"third"}
  → each[0] is under way
> ok @each[0] {"n":"first"}
   8 2/10:00:00 step_completed each[0] {"n":"first"}
   9 2/10:00:00 step_completed each
  10 2/10:00:00 run_completed  [{"n":"first"},{"n":"second"},{"n":"third"}]
  → completed
