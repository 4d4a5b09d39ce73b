# A set computes a value once and records it; one that cannot be computed fails the run.
> yaml
  steps:
    - { id: who, set: "${{ event.name }}" }
    - { id: greeting, set: { text: "Hello, ${{ steps.who.output }}", times: "${{ event.n * 2 }}" } }
    - { id: broken, set: "${{ event.n / event.nothing }}" }
> start {"name":"Ada","n":4}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 value_set who "Ada"
   3 2/10:00:00 value_set greeting {"text":"Hello, Ada","times":8}
   4 2/10:00:00 step_failed broken final, fail: evaluating set: event.n or event.nothing is missing: add ?? with what to use instead
   5 2/10:00:00 run_failed  step broken: evaluating set: event.n or event.nothing is missing: add ?? with what to use instead
  → failed
