# A loop in a loop: the outer item has the name that as gives it.
> yaml
  steps:
    - id: rooms
      for_each: ${{ event.rooms }}
      as: room
      steps:
        - id: people
          for_each: ${{ room.people }}
          as: person
          set: ${{ room.name + '/' + person + string(index) }}
  output: ${{ steps.rooms.output }}
> start {"rooms":[{"name":"A","people":["x","y"]},{"name":"B","people":[]},{"name":"C","people":["z"]}]}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 loop_started rooms over [{"name":"A","people":["x","y"]},{"name":"B","people":[]},{"name":"C","people":["z"]}]
   3 2/10:00:00 branch_chosen rooms[0]
   4 2/10:00:00 loop_started rooms[0].people over ["x","y"]
   5 2/10:00:00 value_set rooms[0].people[0] "A/x0"
   6 2/10:00:00 value_set rooms[0].people[1] "A/y1"
   7 2/10:00:00 step_completed rooms[0].people
   8 2/10:00:00 step_completed rooms[0]
   9 2/10:00:00 branch_chosen rooms[1]
  10 2/10:00:00 loop_started rooms[1].people over []
  11 2/10:00:00 step_completed rooms[1].people
  12 2/10:00:00 step_completed rooms[1]
  13 2/10:00:00 branch_chosen rooms[2]
  14 2/10:00:00 loop_started rooms[2].people over ["z"]
  15 2/10:00:00 value_set rooms[2].people[0] "C/z0"
  16 2/10:00:00 step_completed rooms[2].people
  17 2/10:00:00 step_completed rooms[2]
  18 2/10:00:00 step_completed rooms
  19 2/10:00:00 run_completed  [{"people":["A/x0","A/y1"]},{"people":[]},{"people":["C/z0"]}]
  → completed
