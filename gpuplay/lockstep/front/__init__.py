"""Numba's types of a GPU function, and what is the same function."""
