"""The CUDA ladder of conv2d, declared: each rung is one idea more than the one that it improves on.

The rungs stand in the order in which they are read. An idea is the first sentence of its builder, too, which goes on
with how it is done and what it moves; `docs/ladder-cuda.md` tells what each gains, and the limit that it meets.
"""

from gpuplay.kernel import Array, Cost, Knob, Variant

from ..._shared import limits
from .. import layout
from . import sizes

MOST_ELEMENTS = 2**31
TILE_FILTERS = Knob((64, 128), default=128, help="most filters that a block computes; fewer where it keeps a GPU busy")
FILTERS = 4  # filters that one thread of cuda:tiled computes


def fits_tile(p, knobs, machine):
    """A tile is a block of threads, its input with halo and four filters lie in shared memory."""
    tile = knobs["tile"]
    inputs = (tile - 1) * p.stride + p.kernel_size
    shared = (inputs**2 + FILTERS * p.kernel_size**2) * p.itemsize
    what = f"tile {tile}: {inputs}×{inputs} inputs and four filters"
    return limits.tile_threads(tile, machine) or limits.shared_memory(what, shared, machine)


def fits_block(_p, knobs, machine):
    """No block has more threads than the GPU allows."""
    return limits.block_threads(knobs["block"], machine)


def too_few_filters(knobs):
    """Why no tile has so few filters."""
    least = min(tiling.rows for tiling, _ in sizes.TILINGS)
    if knobs["tile_filters"] < least:
        return f"tile_filters {knobs['tile_filters']}: the smallest tile has {least} filters"
    return None


def too_large(*elements):
    """Why an array of so many elements cannot be served."""
    if max(elements) >= MOST_ELEMENTS:
        return f"an array of {max(elements)} elements: its indices have 32 bits, for fewer than {MOST_ELEMENTS}"
    return None


def fits_registers(p, _knobs, _machine):
    """Its 128-bit accesses are of four float32, its indices have 32 bits."""
    geometry = sizes.Geometry.of(p)
    arrays = geometry.pixels * p.filters, p.batch * p.channels * p.n**2, geometry.taps * geometry.row
    return limits.float32_only(p) or too_large(*arrays)


def fits_pipeline(p, knobs, machine):
    """What `fits_registers` asks, and a GPU that copies while it computes."""
    return limits.asynchronous_copies(machine) or too_few_filters(knobs) or fits_registers(p, knobs, machine)


def fits_matrix_units(p, knobs, machine):
    """What `fits_registers` asks, and matrix units that take TF32, with three stages in shared memory."""
    taken, most = max(tile.shared_bytes for tile, _ in sizes.MATRIX_TILES), machine.gpu.shared_bytes_opt_in
    if taken > most:
        return f"strips of filters and patches take {taken} bytes of shared memory, the limit is {most}"
    return limits.matrix_units(p, knobs, machine) or fits_registers(p, knobs, machine)


def fits_winograd(p, knobs, machine):
    """Its transforms are made for 3×3 filters with stride 1; a row of blocks for each channel and filter."""
    spaces = (array.nbytes(p.dtype) // p.itemsize for array in winograd_workspace(p, {}))
    return (
        limits.float32_only(p)
        or layout.beyond_winograd(p)
        or limits.asynchronous_copies(machine)
        or too_few_filters(knobs)
        or too_large(p.batch * p.channels * p.n**2, *spaces)
        or limits.grid_height("channels or filters", max(p.channels, p.filters), 1)
    )


def winograd_workspace(p, _knobs):
    """The elements of all tiles, and their products."""
    shape = layout.PRODUCTS, p.channels, sizes.tile_row_of(p)
    return Array("V", shape), Array("M", (layout.PRODUCTS, p.filters, sizes.tile_row_of(p)))


def winograd_work(p, knobs):
    """36 products a tile and the transforms of images and outputs; V and M are written and read besides X, U, Y."""
    outputs, inputs = p.filters * sizes.Geometry.of(p).pixels, p.batch * p.channels * p.n**2
    spaces = sum(array.nbytes(p.dtype) for array in winograd_workspace(p, knobs))
    elements = outputs + inputs + layout.PRODUCTS * p.channels * p.filters
    return Cost(layout.winograd_flops(p), float(p.itemsize * elements + 2 * spaces))


VARIANTS = (
    Variant(
        "cuda:naive",
        "SIMT",
        "one thread an output; adjacent threads read adjacent pixels",
        "cuda.direct:naive",
        knobs={"block": Knob((64, 128, 256, 512), default=256, help="threads of a block")},
        applies=fits_block,
    ),
    Variant(
        "cuda:tiled",
        "SIMT",
        "each input is loaded once a tile and serves four filters from shared memory",
        "cuda.direct:tiled",
        improves_on="cuda:naive",
        knobs={"tile": Knob((8, 16, 32), default=16, help="rows and columns of a tile of outputs")},
        applies=fits_tile,
    ),
    Variant(
        "cuda:implicit",
        "SIMT",
        "a product of filters and patches: each thread keeps 8×8 outputs in registers, eight fma a number it loads",
        "cuda.implicit:implicit",
        improves_on="cuda:tiled",
        applies=fits_registers,
        prepare="cuda.packing:by_taps",
    ),
    Variant(
        "cuda:pipelined",
        "SIMT",
        "the same product: filters and patches of the next steps are on their way while these are multiplied",
        "cuda.implicit:pipelined",
        improves_on="cuda:implicit",
        knobs={"tile_filters": TILE_FILTERS},
        applies=fits_pipeline,
        prepare="cuda.packing:by_taps",
    ),
    Variant(
        "cuda:tf32",
        "SIMT",
        "warps multiply on their matrix unit: 16×8×8 products an instruction, factors rounded to 11 bits",
        "cuda.matrix_units:tf32",
        improves_on="cuda:pipelined",
        applies=fits_matrix_units,
        prepare="cuda.packing:by_filters",
        compute="tfloat32",
        accumulate="float32",
    ),
    Variant(
        "cuda:winograd",
        "SIMT",
        "other arithmetic for 3×3 filters: 36 products in the place of 144 make 16 pixels, by 36 matrix products",
        "cuda.winograd:winograd",
        improves_on="cuda:pipelined",
        knobs={"tile_filters": TILE_FILTERS},
        applies=fits_winograd,
        prepare="cuda.packing:by_elements",
        workspace=winograd_workspace,
        work=winograd_work,
        error_growth=layout.ERROR_GROWTH,
    ),
)
