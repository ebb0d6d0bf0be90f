"""The lockstep machine: executes, checks and counts CUDA functions without a GPU."""
