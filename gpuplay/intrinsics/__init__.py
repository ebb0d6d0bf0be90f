"""What kernels may use beyond plain Numba: vector types, streaming stores, PTX.

The doors are `simd`, `tiles` and `vector_math` for the CPU, `ptx` for GPUs; behind them stand `host` and `device`.
"""
