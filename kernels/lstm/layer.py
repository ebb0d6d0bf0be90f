"""All steps of an LSTM layer on the CPU, each a product of the weights with inputs and states side by side.

Everything is computed transposed, units by batch, so that vectors run along the batch. A step is one
product: the weights (W_ih, W_hh), packed once, with the panels of (x, h), inputs above hidden states. The
four gates of a unit are neighbouring rows, and a *group* of units fills whole tiles, so that new states are
computed while all their sums are in the first cache. Hidden states go straight into the panels of the next
step, of which there are two sets, and from there to ``hs``.
"""

from typing import Any, NamedTuple

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.host.internal import internal
from gpuplay.intrinsics.tiles import rows_of

from .._shared.gemm import WRITTEN, strip_product
from .._shared.operands import Operand, Rows
from .._shared.packing import pack_a, panel_width, tile_columns
from .._shared.transposed import copy_transposed, pack_transposed
from . import blocking
from .update import new_states

GATES, CHUNK = blocking.GATES, blocking.CHUNK

columns_of_block, strip_elements = internal(blocking.columns_of_block), internal(blocking.strip_elements)
units_of_group = internal(blocking.units_of_group)


class Region(NamedTuple):
    """What one worker computes: ``left`` to ``right`` of the batch for the groups of units ``first`` to ``last``.

    Of the inputs and hidden states below them it packs rows ``top`` to ``bottom``.
    """

    left: int
    right: int
    first: int
    last: int
    top: int
    bottom: int


class Packed(NamedTuple):
    """What stays packed over all steps: weights, biases, two steps' panels, and cell states; all of them flat."""

    weights: Any
    biases: Any
    panels: Any
    cells: Any


# ---- packing ----


@internal
def _gather(room, W, n, unit, k, depth, rows):
    """Copy ``depth`` columns of the weights of a group, gate by gate for each unit, zeros beyond the last unit."""
    lanes = simd.lanes(W)
    for row in range(rows):
        source = ((row % GATES) * n + unit + row // GATES) * n + k
        inside = unit + row // GATES < n
        for i in range(0, depth, lanes):
            simd.store(room, row * CHUNK + i, simd.load_first(W, source + i, depth - i if inside else 0))


@internal
def _pack_group(weights, at, W, n, unit, before, room, shape):
    """Pack the weights of one matrix for a group of units, after ``before`` columns of another."""
    high, rows = rows_of(shape), GATES * units_of_group(rows_of(shape))
    for k in range(0, n, CHUNK):
        deep = min(CHUNK, n - k)
        _gather(room, W, n, unit, k, deep, rows)
        for row in range(0, rows, high):
            target = at + strip_elements(n, row) + (before + k) * high
            pack_a(weights, target, Rows(room, row * CHUNK, CHUNK), high, deep, shape)


@internal
def pack_weights(weights, biases, W_ih, W_hh, b_ih, b_hh, room, region, shape):
    """Pack a region's groups: for each k the weights of a tile's rows lie side by side; and add the biases."""
    n, units = W_ih.shape[1], units_of_group(rows_of(shape))
    for group in range(region.first, region.last):
        unit = group * units
        at = strip_elements(n, unit * GATES)
        _pack_group(weights, at, W_ih, n, unit, 0, room, shape)
        _pack_group(weights, at, W_hh, n, unit, n, room, shape)
        for row in range(unit * GATES, (unit + units) * GATES):
            gate = (row % GATES) * n + row // GATES
            biases[row] = b_ih[gate] + b_hh[gate] if row // GATES < n else 0


@internal
def pack_states(panels, h0, c0, cells, stride, region, shape):
    """Pack a region's hidden states before the first step below the inputs, and transpose its cell states."""
    (left, right), (first, last) = (region.left, region.right), (region.top, region.bottom)
    n = h0.shape[1]
    for begin in range(left, right, tile_columns(h0, shape)):
        width = panel_width(h0, right - begin, shape)
        at = begin * 2 * n + n * width
        pack_transposed(panels, at, Rows(h0, begin * n, n), 2 * n, min(width, right - begin), first, last, shape)
    source, target = Rows(c0, left * n + first, n), Rows(cells, first * stride + left, stride)
    copy_transposed(target, source, right - left, last - first)


# ---- what each worker computes ----


@internal
def apart(n, batch, block, workers, shape, array):
    """Whether every worker gets rows of the batch: they never wait for each other, but each reads all weights.

    So it is while the weights fit where the panels of one worker leave room, and there are panels for all.
    """
    return batch >= workers * tile_columns(array, shape) and 2 * GATES * n * n <= block


@internal
def region_of_units(n, batch, share, shares, shape, array):
    """One worker's `Region` if all share the units."""
    lanes, units = simd.lanes(array), units_of_group(rows_of(shape))
    groups, squares = (n + units - 1) // units, (n + lanes - 1) // lanes
    first, last = share * squares // shares * lanes, min((share + 1) * squares // shares * lanes, n)
    return Region(0, batch, share * groups // shares, (share + 1) * groups // shares, first, last)


@internal
def region_of_columns(n, batch, share, shares, shape, array):
    """One worker's `Region` if all share the batch."""
    wide, units = tile_columns(array, shape), units_of_group(rows_of(shape))
    panels, groups = (batch + wide - 1) // wide, (n + units - 1) // units
    left, right = share * panels // shares * wide, min((share + 1) * panels // shares * wide, batch)
    return Region(left, right, 0, groups, 0, n)


# ---- a step ----


@internal
def _update(packed, h, c, bias, sums, width):
    """The new states of one unit for ``width`` columns, from the sums of its gates, which are `Rows`.

    They go to ``panels[h]`` and ``cells[c]``; the unit's biases stand at ``biases[bias]``.
    """
    _, biases, panels, cells = packed
    room, at, pitch = sums
    for j in range(0, width, simd.lanes(room)):
        i = simd.load(room, at + j) + biases[bias]
        f = simd.load(room, at + pitch + j) + biases[bias + 1]
        g = simd.load(room, at + 2 * pitch + j) + biases[bias + 2]
        o = simd.load(room, at + 3 * pitch + j) + biases[bias + 3]
        cell, hidden = new_states(i, f, g, o, simd.load(cells, c + j))
        simd.store(cells, c + j, cell)
        simd.store(panels, h + j, hidden)


@internal
def _multiply(packed, now, after, room, n, block, region, shape):
    """The new states of a region, from the panels that begin at ``now`` to those at ``after``."""
    high, wide, lanes = rows_of(shape), tile_columns(room, shape), simd.lanes(room)
    units, stride = units_of_group(high), len(packed.cells) // n
    for column in range(region.left, region.right, block):
        columns = min(block, region.right - column)
        pitch = (columns + lanes - 1) // lanes * lanes
        for group in range(region.first, region.last):
            top, b = group * units * GATES, now + column * 2 * n
            for row in range(0, units * GATES, high):
                weights = Operand(packed.weights, strip_elements(n, top + row), 1, high)
                strip_product(
                    Rows(room, row * pitch, pitch), weights, packed.panels, b, 2 * n, high, pitch, WRITTEN, shape
                )
            for row in range(0, min(units, n - group * units) * GATES, GATES):
                unit = (top + row) // GATES
                for panel in range(0, columns, wide):
                    width = panel_width(room, columns - panel, shape)
                    h, c = after + (column + panel) * 2 * n + (n + unit) * width, unit * stride + column + panel
                    _update(packed, h, c, top + row, Rows(room, row * pitch + panel, pitch), width)


@internal
def step(t, states, packed, room, n, batch, block, region, shape):
    """Step ``t`` for a region: its new states, and the next step's inputs.

    ``states`` are x, hs and c_last, all of them flat, ``packed`` the items of a `Packed`: Numba takes plain tuples
    alone into the body of a ``prange``.
    """
    (x, hs, c_last), (weights, biases, panels, cells) = states, packed
    left, right, first, last, top, bottom = region
    units, wide, size = units_of_group(rows_of(shape)), tile_columns(room, shape), len(panels) // 2
    now, after, stride = t % 2 * size, (t + 1) % 2 * size, len(cells) // n
    _multiply(Packed(weights, biases, panels, cells), now, after, room, n, block, region, shape)
    unit, end = first * units, min(last * units, n)
    for panel in range(left, right, wide):
        width, columns = panel_width(room, right - panel, shape), min(wide, right - panel)
        hidden = Rows(panels, after + panel * 2 * n + (n + unit) * width, width)
        copy_transposed(Rows(hs, (t * batch + panel) * n + unit, n), hidden, end - unit, columns)
    if (t + 1) * batch * n < len(x):
        inputs = Rows(x, ((t + 1) * batch + left) * n, n)
        pack_transposed(panels, after + left * 2 * n, inputs, 2 * n, right - left, top, bottom, shape)
    else:
        source = Rows(cells, unit * stride + left, stride)
        copy_transposed(Rows(c_last, left * n + unit, n), source, end - unit, right - left)
