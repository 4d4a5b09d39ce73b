# The run's own timeout ends it in the middle of a call, which is awaited; finally still runs.
> yaml
  timeout: 1m
  steps:
    - { id: a, uses: write.it }
    - { id: b, uses: write.it }
  finally:
    - { id: f, uses: write.it }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {}
> after 61s
   3 2/10:01:01 run_ending  failed timeout
  → a is under way
> ok {"n":1}
   4 2/10:01:01 step_completed a {"n":1}
   5 2/10:01:01 step_started finally.f attempt 1
  → call finally.f, attempt 1, with {}
> ok {"n":2}
   6 2/10:01:01 step_completed finally.f {"n":2}
   7 2/10:01:01 run_failed  timeout : the run took longer than the workflow's timeout of 1m0s
  → failed
