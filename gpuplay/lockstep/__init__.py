"""The lockstep machine: executes, checks and counts CUDA functions without a GPU.

`machine` is its front, `record` what it saw, `errors` why it stopped. The rooms, from the bottom: `scalars`, what one
number does; `front`, Numba's types of a function; `memory`, what its words know; `execution`, programs and how batches
of blocks run them; `emit`, what the writing of programs is made of; `words`, what a GPU function may say beside plain
Python; `translate`, which makes programs of typed functions. To begin with, read `execution.engine.Engine.run`.
"""
