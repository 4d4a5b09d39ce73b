# A retry may correct the input of a step; the rest of its input stays.
> yaml
  steps:
    - { id: a, uses: write.it, with: { to: "${{ event.to }}", text: hello } }
> start {"to":"nobody"}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {"text":"hello","to":"nobody"}
> error final 400 no_such_address
   3 2/10:00:00 step_failed a final, fail: no_such_address
   4 2/10:00:00 run_failed  step a: no_such_address
  → failed
> retry a={"to":"ada@example.org"}
   5 2/10:00:00 run_retried  (epoch 2) with a={"to":"ada@example.org"}
   6 2/10:00:00 step_started a attempt 2
  → call a, attempt 2, with {"text":"hello","to":"ada@example.org"}
> ok {}
   7 2/10:00:00 step_completed a {}
   8 2/10:00:00 run_completed
  → completed
