# A stop in a branch fails the run; the call in flight is awaited, then on_failure runs.
> yaml
  steps:
    - parallel:
        left: [ { id: a, uses: write.it }, { id: a2, uses: write.it } ]
        right: [ { id: b, stop: { status: failed, message: "no ${{ event.what }}" } } ]
  on_failure:
    - { id: tell, uses: write.it, with: { why: "${{ failure.error.message }}", step: "${{ failure.step }}", reason: "${{ failure.reason }}" } }
> start {"what":"room"}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 branch_chosen parallel#1
   3 2/10:00:00 step_started parallel#1.left.a attempt 1
   4 2/10:00:00 step_completed parallel#1.right.b
   5 2/10:00:00 run_ending  failed stop parallel#1.right.b
  → call parallel#1.left.a, attempt 1, with {}
> ok {}
   6 2/10:00:00 step_completed parallel#1.left.a {}
   7 2/10:00:00 step_started on_failure.tell attempt 1
  → call on_failure.tell, attempt 1, with {"reason":"stop","step":"parallel#1.right.b","why":"no room"}
> ok {}
   8 2/10:00:00 step_completed on_failure.tell {}
   9 2/10:00:00 run_failed  stop parallel#1.right.b: no room
  → failed
