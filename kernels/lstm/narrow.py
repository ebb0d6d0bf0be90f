"""All steps of an LSTM layer for few rows of the batch: vectors run along the units.

Vectors along the batch would be mostly empty. The transposed weights are packed once, so that the gates of
neighbouring units lie side by side; inputs of all steps are multiplied at once, then each step adds the
product of its hidden state, as fast as the weights come from a cache.
"""

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.host.internal import inlined, internal
from gpuplay.intrinsics.tiles import rows_of, with_rows

from .._shared.gemm import ADDED, WRITTEN, strip_product
from .._shared.operands import Operand, Rows
from .._shared.packing import tile_columns
from .._shared.transposed import pack_transposed
from . import blocking
from .update import new_states

GATES = blocking.GATES

gate_elements = internal(blocking.gate_elements)


@internal
def share_of_units(n, share, shares, shape, array):
    """One worker's first unit and the one after its last: whole panels."""
    wide = tile_columns(array, shape)
    panels = (n + wide - 1) // wide
    return share * panels // shares * wide, min((share + 1) * panels // shares * wide, n)


@internal
def project(sums, weights, x, W_ih, W_hh, n, first, last, shape):
    """Pack the weights of units ``first`` to ``last``, and multiply the inputs of all steps by those of W_ih."""
    high, rows, whole = rows_of(shape), len(x) // n, len(x) // n // rows_of(shape) * rows_of(shape)
    for gate in range(GATES):
        b = gate * gate_elements(n) + first * n
        row, column, width = (gate * n + first) * n, gate * n + first, GATES * n
        pack_transposed(weights, b, Rows(W_ih, row, n), n, last - first, 0, n, shape)
        pack_transposed(weights, GATES * gate_elements(n) + b, Rows(W_hh, row, n), n, last - first, 0, n, shape)
        for r in range(0, whole, high):
            C, A = Rows(sums, r * width + column, width), Operand(x, r * n, n, 1)
            strip_product(C, A, weights, b, n, high, last - first, WRITTEN, shape)
        for r in range(whole, rows):
            C, A = Rows(sums, r * width + column, width), Operand(x, r * n, n, 1)
            strip_product(C, A, weights, b, n, 1, last - first, WRITTEN, with_rows(shape, 1))


@internal
def step(t, hs, c_last, h0, c0, b_ih, b_hh, weights, sums, n, batch, first, last, shape):
    """Step ``t`` for units ``first`` to ``last``; ``sums`` hold the inputs' part of all gates, all arrays are flat."""
    one, lanes = with_rows(shape, 1), simd.lanes(sums)
    for row in range(batch):
        h, a, c_before = h0, row * n, c0
        if t > 0:
            h, a, c_before = hs, ((t - 1) * batch + row) * n, c_last
        out, begin = (t * batch + row) * n, (t * batch + row) * GATES * n
        for gate in range(GATES):
            C, b = Rows(sums, begin + gate * n + first, GATES * n), (GATES + gate) * gate_elements(n) + first * n
            strip_product(C, Operand(h, a, n, 1), weights, b, n, 1, last - first, ADDED, one)
        for u in range(first, last, lanes):
            count, z = last - u, begin + u
            i = _gate_sum(sums, z, b_ih, b_hh, u, count)
            f = _gate_sum(sums, z + n, b_ih, b_hh, n + u, count)
            g = _gate_sum(sums, z + 2 * n, b_ih, b_hh, 2 * n + u, count)
            o = _gate_sum(sums, z + 3 * n, b_ih, b_hh, 3 * n + u, count)
            cell, hidden = new_states(i, f, g, o, simd.load_first(c_before, row * n + u, count))
            simd.store_first(c_last, row * n + u, cell, count)
            simd.store_first(hs, out + u, hidden, count)


@inlined
def _gate_sum(sums, z, b_ih, b_hh, unit, count):
    biases = simd.load_first(b_ih, unit, count) + simd.load_first(b_hh, unit, count)
    return simd.load_first(sums, z, count) + biases
