"""The lockstep machine: executes, checks and counts CUDA functions without a GPU.

`machine` is its front, `record` what it saw. From the bottom: what scalars compute (`arithmetic`,
`functions`); Numba's types (`inference`); memory with its shadow, and what orders two accesses (`memory`,
`shadow`, `order`, `traffic`); programs and their execution by batches of blocks (`program`, `batch`,
`engine`, `access`); the translation of typed functions into programs (`translate` and what it calls).
"""
