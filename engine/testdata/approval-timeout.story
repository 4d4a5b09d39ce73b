# Nobody answers: the approval fails, or goes on where the file says so.
> yaml
  steps:
    - { id: first, approval: { message: Really?, timeout: 1h, on_timeout: continue } }
    - { id: second, approval: { message: "It was ${{ steps.first.outcome }}. Sure?", timeout: 1h } }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 wait_started first asks  "Really?", approved or rejected, until 2/11:00:00
   3 2/10:00:00 timer_set first for wait until 2/11:00:00
  → park
> pass 1h
> wake
   4 2/11:00:00 timer_fired first (epoch 2) of 3
   5 2/11:00:00 wait_ended first timeout
   6 2/11:00:00 wait_started second asks  "It was timeout. Sure?", approved or rejected, until 2/12:00:00
   7 2/11:00:00 timer_set second for wait until 2/12:00:00
  → park
> pass 1h
> wake
   8 2/12:00:00 timer_fired second (epoch 3) of 7
   9 2/12:00:00 wait_ended second timeout , which fails the step
  10 2/12:00:00 run_failed  step second: nothing came in time
  → failed
