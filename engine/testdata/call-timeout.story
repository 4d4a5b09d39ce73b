# A called run that takes too long fails the step; its end comes too late.
> yaml
  steps:
    - { id: child, call: license-check, timeout: 1h, continue_on_error: true }
    - { id: a, sleep: 1h }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 call_started child of license-check with {}, until 2/11:00:00
   3 2/10:00:00 timer_set child for limit until 2/11:00:00
  → park
> pass 1h
> wake
   4 2/11:00:00 timer_fired child (epoch 2) of 3
   5 2/11:00:00 step_failed child final, fail: it took longer than its timeout of 1h0m0s
   6 2/11:00:00 timer_set a for sleep until 2/12:00:00
  → cancel the run that child called
  → park
> ended child completed
  refused: reading run run: fact 7 (call_ended) cannot follow: step child is failed
