"""What machine this is: its model as kernels see it, what the host says of itself, its load, its roofs."""
