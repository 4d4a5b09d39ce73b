# A loop goes over its list in order; its output is the list of the iterations' outputs.
> yaml
  steps:
    - id: each
      for_each: ${{ event.names }}
      as: name
      uses: write.it
      with: { name: "${{ name }}", place: "${{ index }}" }
  output: ${{ steps.each.output }}
> start {"names":["a","b"]}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 loop_started each over ["a","b"]
   3 2/10:00:00 step_started each[0] attempt 1
  → call each[0], attempt 1, with {"name":"a","place":0}
> ok {"n":1}
   4 2/10:00:00 step_completed each[0] {"n":1}
   5 2/10:00:00 step_started each[1] attempt 1
  → call each[1], attempt 1, with {"name":"b","place":1}
> ok {"n":2}
   6 2/10:00:00 step_completed each[1] {"n":2}
   7 2/10:00:00 step_completed each
   8 2/10:00:00 run_completed  [{"n":1},{"n":2}]
  → completed
