"""Functions that several bundled kernels share: elementwise functions and matrix products."""
