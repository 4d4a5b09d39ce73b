# One branch fails while another sleeps, and a third waits: both are dropped.
> yaml
  steps:
    - id: both
      continue_on_error: true
      parallel:
        left: [ { id: a, sleep: 1h }, { id: a2, uses: write.it } ]
        middle: [ { id: w, wait_for: { signal: go } } ]
        right: [ { id: b, uses: write.it } ]
    - { id: after, set: "${{ [steps.both.status, steps.a.status, steps.w.status, steps.b.error.message] }}" }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 branch_chosen both
   3 2/10:00:00 timer_set both.left.a for sleep until 2/11:00:00
   4 2/10:00:00 wait_started both.middle.w for signal go
   5 2/10:00:00 step_started both.right.b attempt 1
  → call both.right.b, attempt 1, with {}
  → wait in memory until 2/11:00:00
> error final 400 no
   6 2/10:00:00 step_failed both.right.b final, fail: no
   7 2/10:00:00 step_failed both final, fail: no
   8 2/10:00:00 value_set after ["failed","canceled","canceled","no"]
   9 2/10:00:00 run_completed
  → completed
> signal go
  refused: reading run run: fact 10 (signal_received) cannot follow: the run has ended
