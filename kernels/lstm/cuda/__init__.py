"""The CUDA ladder of lstm, declared: each rung is one idea more than the one that it improves on.

The rungs stand in the order in which they are read. An idea is the first sentence of its builder, too, which goes on
with how it is done and what it moves; `docs/ladder-cuda.md` tells what each gains, and the limit that it meets.
"""

from gpuplay.kernel import Array, Knob, Variant

from ..._shared import limits
from .shapes import BLOCKS, no_residence, shape_for

THREADS = Knob((64, 128, 256), default=256, help="threads of a block")
UNITS = 16
TILE_REGISTERS = 96  # a thread of cuda:fused, rounded up; float64 on sm_80 needs 92
REGISTERS_A_BLOCK = 65536
MOST_ELEMENTS = 2**32


def enough_blocks(machine):
    """Three of four multiprocessors have one: more blocks would have smaller tiles, and so more traffic."""
    return machine.gpu.multiprocessors * 3 // 4


LEAST = Knob(
    (1, BLOCKS),
    default=BLOCKS,
    help="a launch takes the largest tiles of which there are so many; 1: the largest of all",
    choose=enough_blocks,
)


def geometry(p, block):
    """Blocks of 16 adjacent units by as many rows of the batch as the threads allow, over all of both."""
    rows = block // UNITS
    return (-(-p.n // UNITS), -(-p.batch // rows)), (UNITS, rows)


def gates_workspace(p, _knobs):
    """The four gates of one step."""
    return (Array("gates", (4, p.batch, p.n)),)


def projected_workspace(p, _knobs):
    """What the inputs add to the gates of all steps, the four gates of a unit side by side."""
    return (Array("projected", (p.steps * p.batch, p.n, 4)),)


def fits_block(p, knobs, machine):
    """A block has so many threads in all, whole rows of 16, and the grid so many blocks downwards."""
    block = knobs["block"]
    if block % UNITS:
        return f"block {block}: {block} is no multiple of {UNITS}, the units that a block serves side by side"
    return limits.block_threads(block, machine) or limits.grid_height("a batch", p.batch, block // UNITS)


def fits_tile(p, knobs, machine):
    """As `fits_block`, and the registers of all threads of a block exist."""
    block, most = knobs["block"], REGISTERS_A_BLOCK // TILE_REGISTERS
    if block > most and block <= machine.gpu.threads_per_block:
        return f"block {block}: four gates take some {TILE_REGISTERS} registers a thread, the limit is {most} threads"
    return fits_block(p, knobs, machine)


def fits_registers(p, knobs, machine):
    """The register tiles are written for float32 and for copies that nobody waits for."""
    lacking = limits.float32_only(p) or limits.asynchronous_copies(machine)
    if lacking:
        return lacking
    if max(4 * p.n * p.n, p.steps * p.batch * p.n) > MOST_ELEMENTS:
        return f"an array has more than {MOST_ELEMENTS} elements, whose places are counted in 32 bits"
    shape = shape_for(p.n, p.batch, knobs.get("blocks", BLOCKS))
    return limits.grid_height("a batch", p.batch, shape.rows)


def fits_hoisted(p, knobs, machine):
    """As `fits_registers`, and a grid for the rows of all steps together."""
    rows = p.steps * p.batch
    shape = shape_for(p.n, rows, knobs.get("blocks", BLOCKS))
    return fits_registers(p, knobs, machine) or limits.grid_height("rows", rows, shape.rows)


def fits_persistent(p, knobs, machine):
    """As `fits_hoisted`, and all blocks are on the GPU at once, with their weights in shared memory."""
    return fits_hoisted(p, knobs, machine) or no_residence(p.n, p.batch, machine.gpu)


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
    Variant(
        "cuda:registers",
        "SIMT",
        "a thread sums 8 rows × 2 units × 4 gates in registers, while copies of the next tiles are under way",
        "cuda.registers:registers",
        knobs={"blocks": LEAST},
        improves_on="cuda:fused",
        applies=fits_registers,
    ),
    Variant(
        "cuda:hoisted",
        "SIMT",
        "the inputs of all steps are one large product before the first step; a step multiplies states alone",
        "cuda.hoisted:hoisted",
        knobs={"blocks": LEAST},
        improves_on="cuda:registers",
        applies=fits_hoisted,
        workspace=projected_workspace,
    ),
    Variant(
        "cuda:persistent",
        "SIMT",
        "one launch for all steps: each block keeps its recurrent weights on chip, and all meet after every step",
        "cuda.persistent:persistent",
        improves_on="cuda:hoisted",
        applies=fits_persistent,
        workspace=projected_workspace,
    ),
)
