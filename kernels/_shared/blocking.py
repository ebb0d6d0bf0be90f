"""How the matrix products on the CPU are cut into tiles and blocks, in plain integers.

Declarations read this file for knobs and for the sizes of workspaces, and compiled code uses the same
functions, so that both always agree. The terms are explained in `gemm` and `packing`.
"""

from gpuplay.kernel import Array, Knob

MOST_LANES = 16  # float32 in the widest vector there is; workspaces have room for it on every host
LEAST_PRODUCTS_A_WORKER = 1 << 19  # below some microseconds of work, starting threads costs more than they save

PACKING = 22  # rows of C whose work takes as long as packing the rows of B that they meet

ROWS, VECTORS, BLOCK_N, BLOCK_K = 6, 2, 512, 384
BLOCK_NS = (256, 512, 1024)


def tile_vectors(machine):
    """Twelve or 24 sums, with the vectors of B and one number of A, in 16 or 32 registers."""
    return 4 if machine.vector_bits == 512 else 2


def block_n(machine):
    """As many columns of B as fill half of the second cache, so that A and C have room beside them."""
    columns = machine.l2_bytes // 2 // (4 * BLOCK_K)
    return max(value for value in BLOCK_NS if value <= max(columns, BLOCK_NS[0]))


TILES = {
    "tile_rows": Knob((4, 6, 8), default=ROWS, help="rows of the tile of C that is summed up in registers"),
    "tile_vectors": Knob((2, 3, 4), default=VECTORS, help="vectors in a row of that tile", choose=tile_vectors),
}
BLOCKS = {
    "block_n": Knob(
        BLOCK_NS,
        default=BLOCK_N,
        help="columns of B that are packed at a time",
        choose=block_n,
    ),
    "block_k": Knob((256, 384, 512), default=BLOCK_K, help="rows of B that are packed at a time"),
}
KNOBS = {**TILES, **BLOCKS}
DEFAULTS = {name: knob.default for name, knob in KNOBS.items()}


def round_up(count, step):
    """The smallest multiple of ``step`` that is not below ``count``."""
    return (count + step - 1) // step * step


def workers_for(products, threads):
    """How many threads a product of so many multiplications is worth."""
    return max(1, min(threads, products // LEAST_PRODUCTS_A_WORKER))


def by_workers(alone, together, *arrays):
    """Run ``alone`` where the last array has one row, for one worker, who needs no parallel code; else ``together``."""
    (alone if len(arrays[-1]) == 1 else together)(*arrays)


def bounds_of(m, n, high, wide, share, shares):
    """The rectangle of C (m, n) that is one worker's, in whole tiles: its first and its end row and column.

    All are about alike, and wide rather than high or high rather than wide as makes the least work: rows
    times columns, and `PACKING` rows' worth of it for packing the columns of B.
    """
    strips, panels = (m + high - 1) // high, (n + wide - 1) // wide
    down, least = shares, -1
    for candidate in range(1, shares + 1):
        if shares % candidate == 0:
            across = shares // candidate
            rows, columns = (strips + candidate - 1) // candidate * high, (panels + across - 1) // across * wide
            work = (rows + PACKING) * columns
            if least < 0 or work < least:
                down, least = candidate, work
    across = shares // down
    row, column = share // across, share % across
    top, bottom = row * strips // down * high, (row + 1) * strips // down * high
    left, right = column * panels // across * wide, (column + 1) * panels // across * wide
    return top, min(bottom, m), left, min(right, n)


def room_elements(n, rows, block_n, block_k):
    """Elements that a worker needs for one panel of A and those of one block of B, which has n columns."""
    return block_k * (rows + min(round_up(n, MOST_LANES), block_n))


def workspace(m, k, n, knobs):
    """For each worker, room for the panels of a block of B."""
    knobs = DEFAULTS | knobs
    workers = workers_for(m * k * n, knobs.get("threads", 1))
    room = room_elements(n, knobs["tile_rows"], knobs["block_n"], knobs["block_k"])
    return (Array("panels", (workers, room)),)
