# Two signals that came before end two waits, in their order.
> yaml
  steps:
    - { id: a, uses: write.it }
    - { id: first, wait_for: { signal: go } }
    - { id: second, wait_for: { signal: go } }
  output: ${{ [steps.first.output, steps.second.output] }}
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 step_started a attempt 1
  → call a, attempt 1, with {}
> signal go {"n":1}
   3 2/10:00:00 signal_received  go {"n":1}
  → a is under way
> signal go {"n":2}
   4 2/10:00:00 signal_received  go {"n":2}
  → a is under way
> ok {}
   5 2/10:00:00 step_completed a {}
   6 2/10:00:00 wait_started first for signal go
   7 2/10:00:00 wait_ended first arrived {"n":1}
   8 2/10:00:00 wait_started second for signal go
   9 2/10:00:00 wait_ended second arrived {"n":2}
  10 2/10:00:00 run_completed  [{"n":1},{"n":2}]
  → completed
