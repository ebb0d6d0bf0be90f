"""Programs, and their execution by batches of blocks, with all checks: begin with `engine`."""
