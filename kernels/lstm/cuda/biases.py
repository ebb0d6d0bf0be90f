"""The biases of an LSTM step: part of its sums, not of what follows element by element."""

from numba import cuda


@cuda.jit(device=True, forceinline=True)
def add_biases(i, f, g, o, b_ih, b_hh, unit, n):
    """The sums of the four gates of a unit plus both biases of each; from gate to gate these lie n apart."""
    i += b_ih[unit] + b_hh[unit]
    f += b_ih[n + unit] + b_hh[n + unit]
    g += b_ih[2 * n + unit] + b_hh[2 * n + unit]
    o += b_ih[3 * n + unit] + b_hh[3 * n + unit]
    return i, f, g, o
