"""How the LSTM on the CPU is cut into tiles and blocks, in plain integers: declarations and compiled code read this."""

from gpuplay.kernel import Array, Knob

from .._shared.blocking import DEFAULTS as TILE_DEFAULTS
from .._shared.blocking import MOST_LANES, ROWS, TILES, round_up, workers_for

GATES = 4
CHUNK = 256  # columns of weights that are gathered before they are packed
SMALL_BATCH = 4  # below it vectors along the batch are mostly empty, and run along the units instead
LEAST_ELEMENTS_A_WORKER = 1 << 17  # of weights in a step, which come from a cache at some elements a nanosecond
BLOCK = 1 << 16
BLOCKS = (1 << 15, 1 << 16, 1 << 17, 1 << 18)


def block_elements(machine):
    """Half of the second cache, so that the weights have room beside the panels."""
    return max(value for value in BLOCKS if value <= max(machine.l2_bytes // 8, BLOCKS[0]))


KNOBS = {
    **TILES,
    "block": Knob(
        BLOCKS,
        default=BLOCK,
        help="elements of the panels of inputs and states in use at a time",
        choose=block_elements,
    ),
}
DEFAULTS = TILE_DEFAULTS | {"block": BLOCK}


def units_of_group(high):
    """Units that make whole tiles of ``high`` rows, an even number: four rows each."""
    return high // 2 if high % GATES else high // GATES


def columns_of_block(n, batch, wide, block):
    """Columns of the batch that are multiplied at a time: whole panels, at least one."""
    columns = max(block // (2 * n) // wide, 1) * wide
    return min(columns, (batch + MOST_LANES - 1) // MOST_LANES * MOST_LANES)


def strip_elements(n, high):
    """Elements that the weights for a tile's rows take up: of W_ih, then of W_hh, each filled up to whole vectors."""
    return 2 * high * ((n + MOST_LANES - 1) // MOST_LANES * MOST_LANES)


def gate_elements(n):
    """Elements of the packed transposed weights of one gate."""
    return n * ((n + MOST_LANES - 1) // MOST_LANES * MOST_LANES)


def narrow_workspace(p, threads):
    """Packed transposed weights, and the sums of all gates of all steps; a row for each worker."""
    workers = max(1, min(threads, GATES * p.n * p.n * p.batch // LEAST_ELEMENTS_A_WORKER))
    return (
        Array("weights", (2 * GATES * gate_elements(p.n),)),
        Array("biases", (0,)),
        Array("panels", (p.steps * p.batch * GATES * p.n,)),
        Array("cells", (0,)),
        Array("room", (workers, 0)),
    )


def workspace(p, knobs):
    """Packed weights and biases, two steps' panels, cell states, and room for every worker's sums."""
    knobs = DEFAULTS | knobs
    if p.batch < SMALL_BATCH:
        return narrow_workspace(p, knobs.get("threads", 1))
    n, batch, units = p.n, round_up(p.batch, MOST_LANES), units_of_group(knobs["tile_rows"])
    workers = workers_for(2 * GATES * n * n * p.batch, knobs.get("threads", 1))
    rows = GATES * round_up(n, units)
    columns = columns_of_block(n, p.batch, knobs["tile_vectors"] * MOST_LANES, knobs["block"])
    return (
        Array("weights", (strip_elements(n, rows),)),
        Array("biases", (rows,)),
        Array("panels", (2 * 2 * n * batch,)),
        Array("cells", (n * batch,)),
        Array("room", (workers, GATES * units * max(columns, CHUNK))),
    )


def steps_workspace(p, _knobs):
    """Panels of one step's inputs and hidden states, the sums of its gates, and cell states."""
    size = p.n * round_up(p.batch, MOST_LANES)
    return (Array("panels", (2 * size,)), Array("sums", (GATES * size,)), Array("cells", (size,)))


def packed_workspace(p, knobs):
    """As `steps_workspace`, and the packed weights."""
    rows = round_up(GATES * p.n, ROWS)
    return (*steps_workspace(p, knobs), Array("weights", (strip_elements(p.n, rows),)))
