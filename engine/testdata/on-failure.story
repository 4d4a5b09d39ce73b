# on_failure sees what failed. That it fails too changes nothing.
> yaml
  steps:
    - { id: a, set: 1 }
    - { id: g, steps: [ { id: b, uses: write.it } ] }
  on_failure:
    - { id: first, uses: write.it, with: { step: "${{ failure.step }}", code: "${{ failure.error.code }}", a: "${{ steps.a.output }}" } }
    - { id: second, uses: write.it }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 value_set a 1
   3 2/10:00:00 branch_chosen g
   4 2/10:00:00 step_started g.b attempt 1
  → call g.b, attempt 1, with {}
> error final 404 gone
   5 2/10:00:00 step_failed g.b final, fail: gone
   6 2/10:00:00 step_failed g final, fail: gone
   7 2/10:00:00 run_ending  failed step g.b
   8 2/10:00:00 step_started on_failure.first attempt 1
  → call on_failure.first, attempt 1, with {"a":1,"code":404,"step":"g.b"}
> error final 500 also_gone
   9 2/10:00:00 step_failed on_failure.first final, fail: also_gone
  10 2/10:00:00 run_failed  step g.b: gone
  → failed
