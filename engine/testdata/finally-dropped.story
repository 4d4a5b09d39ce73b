# What sleeps or waits when the run is ended from another branch is dropped, and its
# timer with it.
> yaml
  steps:
    - parallel:
        left: [ { id: a, sleep: 1h } ]
        middle: [ { id: b, wait_for: { signal: go, timeout: 1h } } ]
        right: [ { stop: { status: failed, message: no } } ]
  finally: [ { id: f, uses: write.it, with: { are: "${{ [steps.a.status, steps.b.status] }}" } } ]
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 branch_chosen parallel#1
   3 2/10:00:00 timer_set parallel#1.left.a for sleep until 2/11:00:00
   4 2/10:00:00 wait_started parallel#1.middle.b for signal go, until 2/11:00:00
   5 2/10:00:00 timer_set parallel#1.middle.b for wait until 2/11:00:00
   6 2/10:00:00 step_completed parallel#1.right.stop#1
   7 2/10:00:00 run_ending  failed stop parallel#1.right.stop#1
   8 2/10:00:00 step_started finally.f attempt 1
  → call finally.f, attempt 1, with {"are":["canceled","canceled"]}
> pass 2h
> wake
  nothing is due
> ok {}
   9 2/12:00:00 step_completed finally.f {}
  10 2/12:00:00 run_failed  stop parallel#1.right.stop#1: no
  → failed
