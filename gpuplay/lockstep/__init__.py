"""The lockstep machine: executes, checks and counts CUDA functions without a GPU.

The way through it, shortest first:

1. `execution.engine.Engine.run` is the machine on one page: the lanes of a batch go through a program, diverged ones in
   turns, until all have left.
2. `execution.program` is what it executes, `execution.batch` what operations read and set, `execution.lanes` which
   threads the lanes are, `execution.schedule` where each of them goes on.
3. `machine` is the door: a GPU function and its arguments become a program and batches. `record` is what was seen,
   `errors` why a launch stopped.
4. `translate.functions` makes the program, of what Numba infers (`front`), by way of `emit.emitter`. A call is handled
   in a file of `words`, what one number does is computed in `scalars`.
5. `execution.access` checks and counts every load, store and atomic, with what `memory` knows of the words there;
   `execution.faults` says what is wrong, `execution.counting` adds up.

A room imports only from those before it: `record`, `errors`, `scalars`, `front`, `memory`, `execution`, `emit`,
`words`, `translate`, `machine`.
"""
