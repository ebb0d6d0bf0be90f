"""How the CPU matrix product is cut into blocks, in plain integers.

Declarations read this file for the sizes of workspaces, and `gemm` compiles the same functions,
so that both always agree. The terms are explained in `gemm`.
"""

from gpuplay.kernel import Knob

LANES = 16
ROWS = 4
DEPTH = 4
MOST_WORKERS = 256

BLOCKS = {
    "block_m": Knob((16, 32, 64, 128), default=64, help="rows of the product that are summed up at a time"),
    "block_n": Knob((64, 128, 256, 512), default=256, help="columns of a packed panel"),
    "block_k": Knob((128, 256, 384, 512), default=384, help="rows of a panel in use at a time; more of a narrow one"),
}
DEFAULTS = {name: knob.default for name, knob in BLOCKS.items()}


def round_up(count, step):
    """The smallest multiple of ``step`` that is not below ``count``."""
    return (count + step - 1) // step * step


def strip_width(n, block_n):
    """Columns of a strip: at most ``block_n``, rounded up to whole chunks, and about equal for all strips."""
    strips = (n + block_n - 1) // block_n
    return ((n + strips - 1) // strips + LANES - 1) // LANES * LANES


def quads_per_block(m, block_m):
    """Quads of rows that a worker sums up at a time."""
    return min((block_m + ROWS - 1) // ROWS, (m + ROWS - 1) // ROWS)


def panel_elements(k, n):
    """Elements of all packed panels of a k×n matrix."""
    return round_up(k, DEPTH) * round_up(n, LANES)


def sums_shape(m, n, block_m, block_n, *, workers=MOST_WORKERS):
    """Shape of the workspace for partial sums: a row for each worker that m×n outputs can keep busy."""
    width, quads = strip_width(n, block_n), (m + ROWS - 1) // ROWS
    units = quads * ((n + width - 1) // width)
    return (min(workers, units), quads_per_block(m, block_m) * ROWS * width)
