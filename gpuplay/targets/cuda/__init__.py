"""The target cuda: a GPU, its stream and clock, what it says of itself."""
