"""How the layer on the CPU is cut into blocks, in plain integers: declarations and compiled code read this file."""

from gpuplay.kernel import Array

from .._shared.blocking import DEFAULTS, MOST_LANES, round_up, workers_for

SMALL_BATCH = 8  # below it vectors along the batch are mostly empty, and outputs are dot products
BLOCK_M = 96  # rows of W whose sums lie in the cache before they are finished: whole tiles, whole vectors
LEAST_ELEMENTS_A_WORKER = 1 << 17  # of W, which come from memory at some elements a nanosecond


def width_of(batch, block_n):
    """Columns of Xᵀ that are multiplied at a time, whole vectors of any host."""
    return min(block_n, (batch + MOST_LANES - 1) // MOST_LANES * MOST_LANES)


def depth_of_parts(n, width, block_n, block_k):
    """Rows of Xᵀ that are in use at a time, equal parts: of a narrow block more than of a whole one."""
    most = block_k * block_n // width
    parts = (n + most - 1) // most
    return ((n + parts - 1) // parts + MOST_LANES - 1) // MOST_LANES * MOST_LANES


def room_elements(n, width, depth, rows):
    """What a worker needs: sums of a block of rows, and a strip of W as high as a tile and as long as a part."""
    return round_up(BLOCK_M, rows) * width + rows * min(depth, round_up(n, MOST_LANES))


def workspace(p, knobs):
    """The panels of Xᵀ, and room for the sums of every worker; dot products need no panels."""
    knobs = DEFAULTS | knobs
    threads = knobs.get("threads", 1)
    if p.batch < SMALL_BATCH:
        workers = max(1, min(threads, p.n * p.n // LEAST_ELEMENTS_A_WORKER))
        return (Array("panels", (0,)), Array("room", (workers, 0)))
    width = width_of(p.batch, knobs["block_n"])
    depth = depth_of_parts(p.n, width, knobs["block_n"], knobs["block_k"])
    workers = workers_for(p.batch * p.n * p.n, threads)
    return (
        Array("panels", (round_up(p.batch, MOST_LANES) * round_up(p.n, MOST_LANES),)),
        Array("room", (workers, room_elements(p.n, width, depth, knobs["tile_rows"]))),
    )
