# The API gave no answer, and the step says fail.
> step a write on_unknown=fail
> start {"id":1}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"id":1}
> error unknown 0 no_answer
   3 2/10:00:00 step_failed a unknown, fail: no_answer
   4 2/10:00:00 run_failed  step a: no_answer
  → failed
