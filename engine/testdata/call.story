# A run calls another and waits for its end: its output becomes that of the step.
> yaml
  steps:
    - { id: child, call: license-check, with: { email: "${{ event.email }}" } }
  output: ${{ [steps.child.status, steps.child.output.ok] }}
> start {"email":"a@example.org"}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 call_started child of license-check with {"email":"a@example.org"}
  → park
> ended child completed {"ok":true}
   3 2/10:00:00 call_ended child (epoch 2) completed {"ok":true}
   4 2/10:00:00 run_completed  ["completed",true]
  → completed
> ended child completed {"ok":true}
  refused: reading run run: fact 5 (call_ended) cannot follow: the run has ended
