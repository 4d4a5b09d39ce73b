# A stop in the middle of a loop and a branch completes the run, with its output; what
# sleeps goes no further.
> yaml
  steps:
    - { id: a, set: 1 }
    - for_each: [1, 2, 3]
      parallel:
        left: [ { sleep: 1h } ]
        right: [ { if: item == 1, stop: completed } ]
    - { id: never, set: 2 }
  output: ${{ [steps.a.output, steps.never.status] }}
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 value_set a 1
   3 2/10:00:00 loop_started parallel#2 over [1,2,3]
   4 2/10:00:00 branch_chosen parallel#2[0]
   5 2/10:00:00 timer_set parallel#2[0].left.sleep#1 for sleep until 2/11:00:00
   6 2/10:00:00 step_completed parallel#2[0].right.stop#1
   7 2/10:00:00 run_completed  [1,"skipped"]
  → completed
