# Each iteration that completed is undone by itself, the last first; the order is that
# in which they completed.
> yaml
  steps:
    - id: each
      for_each: [a, b, c]
      at_once: 3
      uses: write.it
      undo: { uses: write.it, with: { item: "${{ item }}", was: "${{ steps.each.output.n }}" } }
> start {}
> ok @each[2] {"n":3}
> ok @each[0] {"n":1}
> error @each[1] final 400 no
> ok {}
> ok {}
