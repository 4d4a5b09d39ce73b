# finally runs after the steps; the run's output was computed before it.
> yaml
  steps: [ { id: a, set: 1 } ]
  on_failure: [ { id: never, set: 1 } ]
  finally: [ { id: f, uses: write.it, with: { a: "${{ steps.a.output }}", failed: "${{ failure != null }}" } } ]
  output: ${{ steps.a.output }}
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 value_set a 1
   3 2/10:00:00 run_ending  completed
   4 2/10:00:00 step_started finally.f attempt 1
  → call finally.f, attempt 1, with {"a":1,"failed":false}
> ok {}
   5 2/10:00:00 step_completed finally.f {}
   6 2/10:00:00 run_completed  1
  → completed
