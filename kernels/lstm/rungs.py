"""lstm on one thread below cpu:simd: sums and gates lie in memory between passes over them.

Everything is computed transposed, units by batch, as in `layer`: ``sums`` has a row for each row of the
weights and ``cells`` one for each unit, so that vectors run along the batch. A step multiplies (`_separate`,
`_joined`, `_packed`), then goes over the sums once for each operation (`_finish`).
"""

from numba import njit

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.host.internal import internal
from gpuplay.intrinsics.tiles import Shape, rows_of, with_rows
from gpuplay.intrinsics.vector_math import sigmoid, tanh

from .._shared.blocking import ROWS, VECTORS
from .._shared.gemm import ADDED, WRITTEN, strip_product
from .._shared.operands import Operand, Rows
from .._shared.packing import depth_of, pack_a
from .._shared.transposed import copy_transposed, pack_transposed
from .blocking import GATES

TILE = Shape(ROWS, VECTORS)


# ---- the passes of a step, which all rungs share ----


@internal
def _add_biases(sums, b_ih, b_hh, pitch):
    for row in range(len(b_ih)):
        bias = b_ih[row] + b_hh[row]
        for at in range(row * pitch, (row + 1) * pitch, simd.lanes(sums)):
            simd.store(sums, at, simd.load(sums, at) + bias)


@internal
def _apply_sigmoid(sums, begin, end):
    for at in range(begin, end, simd.lanes(sums)):
        simd.store(sums, at, sigmoid(simd.load(sums, at)))


@internal
def _apply_tanh(out, o, source, s, count):
    for at in range(0, count, simd.lanes(out)):
        simd.store(out, o + at, tanh(simd.load(source, s + at)))


@internal
def _update_cells(cells, gates, size):
    """The cell states c become f·c + i·g."""
    for at in range(0, size, simd.lanes(cells)):
        i, f, g = simd.load(gates, at), simd.load(gates, size + at), simd.load(gates, 2 * size + at)
        simd.store(cells, at, f * simd.load(cells, at) + i * g)


@internal
def _update_hidden(gates, size):
    """Hidden states o·tanh(c), in the place of tanh(c), which stands in that of the gate g."""
    for at in range(2 * size, 3 * size, simd.lanes(gates)):
        simd.store(gates, at, simd.load(gates, size + at) * simd.load(gates, at))


@internal
def _finish(hs, t, sums, cells, b_ih, b_hh):
    """The states after step ``t``, from the sums of its gates; every operation is a pass of its own."""
    _, batch, n = hs.shape
    pitch = depth_of(sums, batch)
    size = n * pitch  # of a gate
    _add_biases(sums, b_ih, b_hh, pitch)
    _apply_sigmoid(sums, 0, 2 * size)
    _apply_tanh(sums, 2 * size, sums, 2 * size, size)
    _apply_sigmoid(sums, 3 * size, 4 * size)
    _update_cells(cells, sums, size)
    _apply_tanh(sums, 2 * size, cells, 0, size)
    _update_hidden(sums, size)
    copy_transposed(Rows(hs, t * batch * n, n), Rows(sums, 2 * size, pitch), n, batch)


@internal
def _pack_inputs(panels, p, x, t):
    """Pack the inputs of step ``t`` into panels, a column for each row of the batch."""
    _, batch, n = x.shape
    pack_transposed(panels, p, Rows(x, t * batch * n, n), n, batch, 0, n, TILE)


@internal
def _pack_hidden(panels, p, hs, h0, t):
    """Pack the hidden states that step ``t`` begins with, as `_pack_inputs` does."""
    _, batch, n = hs.shape
    if t == 0:
        pack_transposed(panels, p, Rows(h0, 0, n), n, batch, 0, n, TILE)
    else:
        pack_transposed(panels, p, Rows(hs, (t - 1) * batch * n, n), n, batch, 0, n, TILE)


# ---- cpu:separate ----


@internal
def _multiply(sums, first, last, pitch, W, panels, p, accumulate):
    """Rows ``first`` to ``last`` of W, read where they stand, times the panels at ``p``."""
    n, high, one = W.shape[1], rows_of(TILE), with_rows(TILE, 1)
    whole = first + (last - first) // high * high
    for row in range(first, whole, high):
        C, A = Rows(sums, row * pitch, pitch), Operand(W, row * n, n, 1)
        strip_product(C, A, panels, p, n, high, pitch, accumulate, TILE)
    for row in range(whole, last):
        C, A = Rows(sums, row * pitch, pitch), Operand(W, row * n, n, 1)
        strip_product(C, A, panels, p, n, 1, pitch, accumulate, one)


@njit(cache=True)
def _separate(hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh, panels, sums, cells):
    steps, batch, n = x.shape
    pitch = depth_of(sums, batch)
    copy_transposed(Rows(cells, 0, pitch), Rows(c0, 0, n), batch, n)
    for t in range(steps):
        for gate in range(GATES):
            first, last = gate * n, (gate + 1) * n
            _pack_inputs(panels, 0, x, t)
            _multiply(sums, first, last, pitch, W_ih, panels, 0, WRITTEN)
            _pack_hidden(panels, 0, hs, h0, t)
            _multiply(sums, first, last, pitch, W_hh, panels, 0, ADDED)
        _finish(hs, t, sums, cells, b_ih, b_hh)
    copy_transposed(Rows(c_last, 0, n), Rows(cells, 0, pitch), n, batch)


def separate(_p):
    """Each gate is a product with x and one with h; then a pass over memory for each operation.

    Eight products a step, for each gate one with x and one with h; each packs what it reads.
    """
    return _separate


# ---- cpu:joined ----


@internal
def _multiply_both(sums, pitch, W_ih, W_hh, panels):
    """All rows of (W_ih, W_hh), read where they stand, times the panels of x and, after them, of h."""
    (rows, n), high, one = W_ih.shape, rows_of(TILE), with_rows(TILE, 1)
    whole, h = rows // high * high, n * pitch
    for row in range(0, whole, high):
        C, inputs, hidden = Rows(sums, row * pitch, pitch), Operand(W_ih, row * n, n, 1), Operand(W_hh, row * n, n, 1)
        strip_product(C, inputs, panels, 0, n, high, pitch, WRITTEN, TILE)
        strip_product(C, hidden, panels, h, n, high, pitch, ADDED, TILE)
    for row in range(whole, rows):
        C, inputs, hidden = Rows(sums, row * pitch, pitch), Operand(W_ih, row * n, n, 1), Operand(W_hh, row * n, n, 1)
        strip_product(C, inputs, panels, 0, n, 1, pitch, WRITTEN, one)
        strip_product(C, hidden, panels, h, n, 1, pitch, ADDED, one)


@njit(cache=True)
def _joined(hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh, panels, sums, cells):
    steps, batch, n = x.shape
    pitch = depth_of(sums, batch)
    copy_transposed(Rows(cells, 0, pitch), Rows(c0, 0, n), batch, n)
    for t in range(steps):
        _pack_inputs(panels, 0, x, t)
        _pack_hidden(panels, n * pitch, hs, h0, t)
        _multiply_both(sums, pitch, W_ih, W_hh, panels)
        _finish(hs, t, sums, cells, b_ih, b_hh)
    copy_transposed(Rows(c_last, 0, n), Rows(cells, 0, pitch), n, batch)


def joined(_p):
    """The four gates are one product a step: x and h are packed once, and each sum is finished at one go."""
    return _joined


# ---- cpu:packed ----


@internal
def _pack_weights(weights, W_ih, W_hh):
    """Pack strips of W_ih and of W_hh by turns, each as high as a tile."""
    (rows, n), high = W_ih.shape, rows_of(TILE)
    strip = high * depth_of(W_ih, n)
    for row in range(0, rows, high):
        at = row // high * 2 * strip
        pack_a(weights, at, Rows(W_ih, row * n, n), min(high, rows - row), n, TILE)
        pack_a(weights, at + strip, Rows(W_hh, row * n, n), min(high, rows - row), n, TILE)


@internal
def _multiply_packed(sums, pitch, weights, rows, n, panels):
    """All rows of the packed weights times the panels of x and, after them, of h."""
    high, h = rows_of(TILE), n * pitch
    strip = high * depth_of(weights, n)
    for row in range(0, rows, high):
        C, a = Rows(sums, row * pitch, pitch), row // high * 2 * strip
        inputs, hidden = Operand(weights, a, 1, high), Operand(weights, a + strip, 1, high)
        strip_product(C, inputs, panels, 0, n, rows - row, pitch, WRITTEN, TILE)
        strip_product(C, hidden, panels, h, n, rows - row, pitch, ADDED, TILE)


@njit(cache=True)
def _packed(hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh, panels, sums, cells, weights):
    steps, batch, n = x.shape
    pitch = depth_of(sums, batch)
    copy_transposed(Rows(cells, 0, pitch), Rows(c0, 0, n), batch, n)
    _pack_weights(weights, W_ih, W_hh)
    for t in range(steps):
        _pack_inputs(panels, 0, x, t)
        _pack_hidden(panels, n * pitch, hs, h0, t)
        _multiply_packed(sums, pitch, weights, len(W_ih), n, panels)
        _finish(hs, t, sums, cells, b_ih, b_hh)
    copy_transposed(Rows(c_last, 0, n), Rows(cells, 0, pitch), n, batch)


def packed(_p):
    """The weights are packed once for all steps, and reach the tiles as one plain stream."""
    return _packed
