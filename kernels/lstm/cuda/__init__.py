"""The CUDA ladder of lstm, declared: each rung is one idea more than the one below.

cuda:unfused    a launch for each gate and for each operation: gates travel to memory and back
cuda:stacked    one launch sums the four gates of a block's units: x and h are read once for all of them
cuda:pointwise  one launch makes both states of the sums: 7 floats an element, not 16
cuda:fused      the states are made where the sums are: no gate ever reaches memory
"""

from gpuplay.kernel import Array, Knob, Variant

from ..._shared import limits

THREADS = Knob((64, 128, 256), default=256, help="threads of a block")
UNITS = 16
TILE_REGISTERS = 96  # a thread of cuda:fused, rounded up; float64 on sm_80 needs 92
REGISTERS_A_BLOCK = 65536


def geometry(p, block):
    """Blocks of 16 adjacent units by as many rows of the batch as the threads allow, over all of both."""
    rows = block // UNITS
    return (-(-p.n // UNITS), -(-p.batch // rows)), (UNITS, rows)


def gates_workspace(p, _knobs):
    """The four gates of one step."""
    return (Array("gates", (4, p.batch, p.n)),)


def fits_block(p, knobs, machine):
    """A block has so many threads in all, whole rows of 16, and the grid so many blocks downwards."""
    block, limit = knobs["block"], machine.gpu.threads_per_block
    if block > limit:
        return f"block {block}: the limit is {limit} threads a block"
    if block % UNITS:
        return f"block {block}: {block} is no multiple of {UNITS}, the units that a block serves side by side"
    return limits.grid_height("a batch", p.batch, block // UNITS)


def fits_tile(p, knobs, machine):
    """As `fits_block`, and the registers of all threads of a block exist."""
    block, most = knobs["block"], REGISTERS_A_BLOCK // TILE_REGISTERS
    if block > most and block <= machine.gpu.threads_per_block:
        return f"block {block}: four gates take some {TILE_REGISTERS} registers a thread, the limit is {most} threads"
    return fits_block(p, knobs, machine)


VARIANTS = (
    Variant(
        "cuda:unfused",
        "SIMT",
        "a launch for each gate and each operation; every one reads and writes global memory",
        "cuda.unfused:unfused",
        knobs={"block": THREADS},
        applies=fits_block,
        workspace=gates_workspace,
    ),
    Variant(
        "cuda:stacked",
        "SIMT",
        "the four gates are one product a step: a block reads its x and h once for all of them",
        "cuda.tiles:stacked",
        knobs={"block": THREADS},
        improves_on="cuda:unfused",
        applies=fits_tile,
        workspace=gates_workspace,
    ),
    Variant(
        "cuda:pointwise",
        "SIMT",
        "one launch makes both states of the sums: 7 floats an element move, not 16",
        "cuda.tiles:pointwise",
        knobs={"block": THREADS},
        improves_on="cuda:stacked",
        applies=fits_tile,
        workspace=gates_workspace,
    ),
    Variant(
        "cuda:fused",
        "SIMT",
        "one launch a step: states are made of sums in registers, and no gate ever reaches memory",
        "cuda.tiles:fused",
        knobs={"block": THREADS},
        improves_on="cuda:pointwise",
        applies=fits_tile,
    ),
)
