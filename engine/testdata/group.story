# A group's output has the outputs of its steps that have an id; later steps see into it.
> yaml
  steps:
    - id: g
      steps:
        - { id: a, set: 1 }
        - { set: not seen }
        - { id: b, uses: read.it, with: { a: "${{ steps.a.output }}" } }
        - { id: inner, steps: [ { id: c, set: 3 } ] }
    - { id: sum, set: "${{ steps.a.output + steps.c.output }}" }
  output: ${{ steps.g.output }}
> start {}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 branch_chosen g
   3 2/10:00:00 value_set g.a 1
   4 2/10:00:00 value_set g.set#2 "not seen"
   5 2/10:00:00 step_started g.b attempt 1
  → call g.b, attempt 1, with {"a":1}
> ok {"n":2}
   6 2/10:00:00 step_completed g.b {"n":2}
   7 2/10:00:00 branch_chosen g.inner
   8 2/10:00:00 value_set g.inner.c 3
   9 2/10:00:00 step_completed g.inner
  10 2/10:00:00 step_completed g
  11 2/10:00:00 value_set sum 4
  12 2/10:00:00 run_completed  {"a":1,"b":{"n":2},"inner":{"c":3}}
  → completed
