"""The matrix product that matmul, dense and lstm share on the CPU, in plain loops that LLVM vectorises.

C = A·B is computed strip by strip of columns. A *strip* of B is packed into a *panel*: groups of four
rows (a depth of four in k), cut into *chunks* of 16 columns; a chunk is four times 16 adjacent
numbers. Four rows of A meet one group at a time: their 16 numbers are held in registers, and the
loop over a chunk is 16 vector fma for 4 loads from the panel, 4 loads and 4 stores of sums. The sums
of a *quad* of four rows lie in the same chunks, so they stay in the first cache, and the panel in
the second (Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008).

The rows of quad q are q·step + g·gap for g = 0…3: (step, gap) = (4, 1) takes adjacent rows,
(1, n) the four gates of one unit of an LSTM. Rows beyond the last are computed as copies of the
last one and not stored.

Every function does the share of one worker among several, so that one thread and many run the same
loops; with the vectorisers off the same source is the scalar variant.
"""

from numba import get_num_threads, njit

from . import quad_blocking as blocking
from .quad_blocking import DEPTH, LANES, ROWS

FASTMATH = {"contract", "reassoc", "nsz", "arcp", "afn"}
CHUNK = ROWS * LANES
# Below some ten microseconds of work, starting threads costs more than they save.
LEAST_PRODUCTS_A_WORKER = 1 << 17

strip_width = njit(cache=True)(blocking.strip_width)
quads_per_block = njit(cache=True)(blocking.quads_per_block)
round_up = njit(cache=True)(blocking.round_up)


def workers_for(products, sums):
    """How many workers a product of this many multiplications is worth; each needs a row of ``sums``.

    Not compiled: a compiled function that asks for the number of threads cannot be cached.
    """
    return max(1, min(get_num_threads(), len(sums), products // LEAST_PRODUCTS_A_WORKER))


@njit(cache=True, fastmath=FASTMATH)
def accumulate(sums, a0, a1, a2, a3, panel, width):
    """Add the products of four rows of A, each (depth,), with a panel (depth, width) to a quad's sums."""
    depth = len(a0)
    whole = depth // DEPTH * DEPTH
    for p in range(0, whole, DEPTH):
        group = panel[p * width : (p + DEPTH) * width]
        a00, a01, a02, a03 = a0[p], a0[p + 1], a0[p + 2], a0[p + 3]
        a10, a11, a12, a13 = a1[p], a1[p + 1], a1[p + 2], a1[p + 3]
        a20, a21, a22, a23 = a2[p], a2[p + 1], a2[p + 2], a2[p + 3]
        a30, a31, a32, a33 = a3[p], a3[p + 1], a3[p + 2], a3[p + 3]
        for chunk in range(width // LANES):
            c0, c1, c2, c3 = chunk * CHUNK, chunk * CHUNK + LANES, chunk * CHUNK + 2 * LANES, chunk * CHUNK + 3 * LANES
            for j in range(LANES):
                b0, b1, b2, b3 = group[c0 + j], group[c1 + j], group[c2 + j], group[c3 + j]
                sums[c0 + j] += a00 * b0 + a01 * b1 + a02 * b2 + a03 * b3
                sums[c1 + j] += a10 * b0 + a11 * b1 + a12 * b2 + a13 * b3
                sums[c2 + j] += a20 * b0 + a21 * b1 + a22 * b2 + a23 * b3
                sums[c3 + j] += a30 * b0 + a31 * b1 + a32 * b2 + a33 * b3
    for p in range(whole, depth):
        group = panel[whole * width + (p - whole) * LANES :]
        for chunk in range(width // LANES):
            c0, c1, c2, c3 = chunk * CHUNK, chunk * CHUNK + LANES, chunk * CHUNK + 2 * LANES, chunk * CHUNK + 3 * LANES
            for j in range(LANES):
                b = group[c0 + j]
                sums[c0 + j] += a0[p] * b
                sums[c1 + j] += a1[p] * b
                sums[c2 + j] += a2[p] * b
                sums[c3 + j] += a3[p] * b


@njit(cache=True)
def part_depth(width, block_n, block_k):
    """Rows of a panel that are in use at a time: as many numbers as block_k rows of a full panel have."""
    return round_up(max(block_k, block_k * block_n // width), DEPTH)


@njit(cache=True)
def multiply_block(sums, A, first, last, step, gap, panel, width, depth):
    """Add the products of quads ``first`` to ``last`` of A (m, k) with a whole panel (k, width) to their sums.

    All quads meet ``depth`` rows of the panel, a multiple of four, before the next rows.
    """
    m, k = A.shape
    for p in range(0, k, depth):
        end = min(p + depth, k)
        part = panel[p * width :]
        for q in range(first, last):
            row = q * step
            quad = sums[(q - first) * ROWS * width : (q - first + 1) * ROWS * width]
            a0, a1 = A[min(row, m - 1), p:end], A[min(row + gap, m - 1), p:end]
            a2, a3 = A[min(row + 2 * gap, m - 1), p:end], A[min(row + 3 * gap, m - 1), p:end]
            accumulate(quad, a0, a1, a2, a3, part, width)


@njit(cache=True)
def strip_start(strip, width, k):
    """Where the panel of a strip begins among all panels of a matrix with k rows."""
    return strip * width * round_up(k, DEPTH)


@njit(cache=True)
def pack_rows(B, panels, block_n, worker, workers):
    """Pack one worker's share of B (k, n), in groups of four rows; what lies beyond an edge becomes zero."""
    k, n = B.shape
    full = strip_width(n, block_n)
    groups = (k + DEPTH - 1) // DEPTH
    units = groups * ((n + full - 1) // full)
    for unit in range(worker * units // workers, (worker + 1) * units // workers):
        strip, group = unit // groups, unit % groups
        left = strip * full
        columns = min(full, n - left)
        width = round_up(columns, LANES)
        start = strip_start(strip, full, k) + group * DEPTH * width
        packed = panels[start : start + DEPTH * width]
        for row in range(DEPTH):
            p = group * DEPTH + row
            used = columns if p < k else 0
            for chunk in range(0, width, LANES):
                target = packed[chunk * DEPTH + row * LANES :]
                here = max(0, min(LANES, used - chunk))
                for j in range(here):
                    target[j] = B[p, left + chunk + j]
                for j in range(here, LANES):
                    target[j] = 0


@njit(cache=True)
def pack_columns(X, panels, block_n, worker, workers):
    """Pack one worker's share of Xᵀ, where X is (n, k): the rows of X become columns of the panels."""
    n, k = X.shape
    full = strip_width(n, block_n)
    groups = (k + DEPTH - 1) // DEPTH
    lo, hi = worker * groups // workers, (worker + 1) * groups // workers
    for left in range(0, n, full):
        width = round_up(min(full, n - left), LANES)
        start = strip_start(left // full, full, k)
        panel = panels[start : start + groups * DEPTH * width]
        for j in range(width):
            chunk = j // LANES * CHUNK + j % LANES
            for p in range(lo * DEPTH, hi * DEPTH):
                place = p // DEPTH * DEPTH * width + chunk + p % DEPTH * LANES
                panel[place] = X[left + j, p] if left + j < n and p < k else 0


@njit(cache=True)
def next_block(unit, end, quads, most):
    """Strip, first quad and last quad of the block that begins at a (strip, quad) pair."""
    strip, first = unit // quads, unit % quads
    return strip, first, first + min(most, quads - first, end - unit)


@njit(cache=True)
def panel_of(panels, strip, k, n, block_n):
    """The panel of a strip of k×n, its left column, its columns, and its width with padding."""
    full = strip_width(n, block_n)
    left = strip * full
    columns = min(full, n - left)
    width = round_up(columns, LANES)
    start = strip_start(strip, full, k)
    return panels[start : start + round_up(k, DEPTH) * width], left, columns, width


@njit(cache=True)
def units_of(m, n, block_n, worker, workers):
    """One worker's share of all (strip, quad) pairs of m×n outputs, and the quads of a strip."""
    quads = (m + ROWS - 1) // ROWS
    full = strip_width(n, block_n)
    units = quads * ((n + full - 1) // full)
    return worker * units // workers, (worker + 1) * units // workers, quads


@njit(cache=True)
def multiply(C, A, panels, sums, block_m, block_n, block_k, worker, workers):
    """Compute one worker's share of C (m, n) = A (m, k) · B from the panels of B.

    The share is a run of (strip, quad) pairs in that order, which splits evenly among any number of
    workers. ``sums`` is the worker's own workspace, at least one block of quads.
    """
    (m, k), n = A.shape, C.shape[1]
    unit, end, quads = units_of(m, n, block_n, worker, workers)
    while unit < end:
        strip, first, last = next_block(unit, end, quads, quads_per_block(m, block_m))
        unit += last - first
        panel, left, columns, width = panel_of(panels, strip, k, n, block_n)
        block = sums[: (last - first) * ROWS * width]
        block[:] = 0
        multiply_block(block, A, first, last, ROWS, 1, panel, width, part_depth(width, block_n, block_k))
        store(C, block, first, last, left, columns, width)


@njit(cache=True)
def store(C, sums, first, last, left, columns, width):
    """Write the sums of quads ``first`` to ``last`` to their rows of C, from column ``left`` on."""
    for row in range(first * ROWS, min(last * ROWS, len(C))):
        quad = (row // ROWS - first) * ROWS * width + row % ROWS * LANES
        for chunk in range(0, columns, LANES):
            source = sums[quad + chunk * ROWS :]
            target = C[row, left + chunk : left + min(chunk + LANES, columns)]
            for j in range(len(target)):
                target[j] = source[j]


@njit(cache=True)
def store_transposed(Y, sums, first, last, left, columns, width):
    """Write the sums of quads ``first`` to ``last`` to their columns of Y, from row ``left`` on."""
    lo, hi = first * ROWS, min(last * ROWS, Y.shape[1])
    for j in range(columns):
        source = sums[j // LANES * CHUNK + j % LANES :]
        target = Y[left + j, lo:hi]
        for i in range(hi - lo):
            target[i] = source[i // ROWS * ROWS * width + i % ROWS * LANES]


@njit(cache=True)
def fill_rows(sums, values, first, last, width):
    """Let the sums of every row of quads ``first`` to ``last`` begin at the row's value, such as its bias."""
    for i in range((last - first) * ROWS):
        value = values[min(first * ROWS + i, len(values) - 1)]
        row = sums[i // ROWS * ROWS * width + i % ROWS * LANES :]
        for chunk in range(width // LANES):
            for j in range(LANES):
                row[chunk * CHUNK + j] = value


@njit(cache=True, fastmath=FASTMATH)
def four_dots(w0, w1, w2, w3, x):
    """Dot products of a vector with four rows: four independent sums, and each number of x loaded once."""
    s0 = s1 = s2 = s3 = x.dtype.type(0)
    for k in range(len(x)):
        s0 += w0[k] * x[k]
        s1 += w1[k] * x[k]
        s2 += w2[k] * x[k]
        s3 += w3[k] * x[k]
    return s0, s1, s2, s3
