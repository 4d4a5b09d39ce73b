# A group in which something was undone goes on there; what needs no undo stays.
> yaml
  steps:
    - id: g
      steps:
        - { id: a, uses: write.it, undo: { uses: write.it } }
        - { id: b, uses: write.it }
    - { id: c, uses: write.it }
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 branch_chosen g
   3 2/10:00:00 step_started g.a attempt 1
  → call g.a, attempt 1, with {}
> ok {"n":1}
   4 2/10:00:00 step_completed g.a {"n":1}
   5 2/10:00:00 step_started g.b attempt 1
  → call g.b, attempt 1, with {}
> ok {"n":2}
   6 2/10:00:00 step_completed g.b {"n":2}
   7 2/10:00:00 step_completed g
   8 2/10:00:00 step_started c attempt 1
  → call c, attempt 1, with {}
> error final 400 no
   9 2/10:00:00 step_failed c final, fail: no
  10 2/10:00:00 run_ending  failed step c
  11 2/10:00:00 step_started g.a.undo attempt 1
  → call g.a.undo, attempt 1, with {}
> ok {}
  12 2/10:00:00 step_completed g.a.undo {}
  13 2/10:00:00 run_failed  step c: no
  → failed
> retry
  14 2/10:00:00 run_retried  (epoch 2)
  15 2/10:00:00 step_started g.a attempt 2
  → call g.a, attempt 2, with {}
> ok {"n":3}
  16 2/10:00:00 step_completed g.a {"n":3}
  17 2/10:00:00 step_completed g
  18 2/10:00:00 step_started c attempt 2
  → call c, attempt 2, with {}
> ok {"n":4}
  19 2/10:00:00 step_completed c {"n":4}
  20 2/10:00:00 run_completed
  → completed
