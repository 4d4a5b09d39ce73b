# A loop over nothing is over at once.
> yaml
  steps:
    - { id: each, for_each: "${{ event.names }}", uses: write.it }
  output: ${{ steps.each }}
> start {"names":[]}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 loop_started each over []
   3 2/10:00:00 step_completed each
   4 2/10:00:00 run_completed  {"attempts":0,"error":null,"outcome":null,"output":[],"status":"completed"}
  → completed
