"""Run a plan: whether a cell may run, its verdict on the lockstep machine, rounds of turns."""
