"""Find kernels and load their declarations; what their sources define, and a hash of them."""
