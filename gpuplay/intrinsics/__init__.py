"""What kernels may use beyond plain Numba: vector types, streaming stores, PTX."""
