"""Libraries beside NumPy as targets: PyTorch, and on a GPU PyTorch and CuPy."""
