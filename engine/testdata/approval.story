# A person is asked, reminded, and answers with fields.
> yaml
  steps:
    - id: ask
      approval:
        to: office@example.org
        message: "Take back the licence of ${{ event.email }}?"
        choices: [take, keep, later]
        fields: { reason: text, days: { type: number, required: true } }
        remind: 12h
        timeout: 2d
  output: ${{ [steps.ask.outcome, steps.ask.output.days] }}
> start {"email":"a@example.org"}
   1 2/10:00:00 run_started  (epoch 1)
   2 2/10:00:00 wait_started ask asks office@example.org "Take back the licence of a@example.org?", take or keep or later, with {"days":{"label":"","required":true,"type":"number"},"reason":{"label":"","required":false,"type":"text"}}, until 4/10:00:00
   3 2/10:00:00 timer_set ask for wait until 4/10:00:00
   4 2/10:00:00 timer_set ask for remind until 2/22:00:00
  → park
> pass 12h
> wake
   5 2/22:00:00 timer_fired ask (epoch 2) of 4
   6 2/22:00:00 timer_set ask for remind until 3/10:00:00
  → park
> approve ask take {"days":3}
   7 2/22:00:00 approval_given ask (epoch 3) take {"days":3}
   8 2/22:00:00 run_completed  ["take",3]
  → completed
> approve ask keep
  refused: reading run run: fact 9 (approval_given) cannot follow: the run has ended
