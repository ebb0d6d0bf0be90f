"""Shapes of a block of the register rungs: what it sums, and how its eight warps share that.

Free of numba, so that a declaration may ask what a block takes.
"""

from typing import NamedTuple

THREADS = 256
GATES = 4
PAD = 4  # floats behind a row of a tile: threads that read adjacent rows, 16 bytes each, meet different banks


class Shape(NamedTuple):
    """A block sums the four gates of ``units`` units for ``rows`` rows of the batch.

    It walks along k in chunks of ``depth``, ``stages`` of them in shared memory at a time. A warp sums
    8 units for 32 rows, or for 64 where ``tall``; warps beyond those that this takes share the depth of a
    chunk among them, ``slices`` to a tile.
    """

    rows: int
    units: int
    tall: bool
    depth: int
    stages: int

    @property
    def row_warps(self):
        """Warps side by side along the batch."""
        return self.rows // (64 if self.tall else 32)

    @property
    def slices(self):
        """Warps that sum the same tile, each along its share of every chunk."""
        return THREADS // 32 // self.row_warps // (self.units // 8)

    @property
    def shared_bytes(self):
        """Shared memory of a block: chunks of vectors and weights, and later the sums of every slice instead."""
        chunks = self.stages * (self.rows + GATES * self.units) * (self.depth + PAD)
        sums = self.slices * self.rows * self.units * GATES
        return 4 * max(chunks, sums)

    def constants(self, n):
        """What a GPU function needs of a shape, as plain numbers; last the floats that one copy of a row of n takes."""
        return (
            *(self.rows, self.units, self.row_warps, self.slices),
            *(self.tall, self.depth, self.stages, 1 if n % 4 else 4),
        )

    def grid(self, units, rows):
        """Blocks that serve so many units and rows: units first, so that neighbours share their vectors."""
        return -(-units // self.units), -(-rows // self.rows)


SHAPES = (
    Shape(rows=128, units=32, tall=True, depth=32, stages=2),
    Shape(rows=64, units=32, tall=True, depth=32, stages=3),
    Shape(rows=64, units=8, tall=True, depth=64, stages=3),
    Shape(rows=32, units=8, tall=False, depth=64, stages=3),
)
BLOCKS = 99  # where nobody says otherwise: three quarters of the 132 multiprocessors of a large GPU


def shape_for(units, rows, blocks=BLOCKS):
    """The largest shape of which there are so many blocks, or the smallest: the larger one is, the less it reads."""
    for shape in SHAPES[:-1]:
        across, down = shape.grid(units, rows)
        if across * down >= blocks:
            return shape
    return SHAPES[-1]


# --- a layer in one launch ---

RESIDENT_UNITS = 8
RESIDENT_SHAPES = (
    Shape(rows=32, units=RESIDENT_UNITS, tall=False, depth=64, stages=3),
    Shape(rows=64, units=RESIDENT_UNITS, tall=True, depth=64, stages=3),
    Shape(rows=128, units=RESIDENT_UNITS, tall=True, depth=32, stages=3),
    Shape(rows=256, units=RESIDENT_UNITS, tall=True, depth=32, stages=2),
)


class Residence(NamedTuple):
    """How a layer lies on the GPU: each of ``across`` × ``down`` blocks keeps its units' weights for all steps.

    A block serves every ``down``-th tile of ``shape.rows`` rows of the batch, ``turns`` of them at each step.
    """

    shape: Shape
    across: int
    down: int
    turns: int
    n: int

    @property
    def weights_floats(self):
        """Recurrent weights of the block's units, in chunks as they are multiplied."""
        chunks = -(-self.n // self.shape.depth)
        return chunks * GATES * self.shape.units * (self.shape.depth + PAD)

    @property
    def states_floats(self):
        """Chunks of hidden states, and later the sums of every slice instead."""
        shape = self.shape
        chunks = shape.stages * shape.rows * (shape.depth + PAD)
        return max(chunks, shape.slices * shape.rows * shape.units * GATES)

    @property
    def shared_bytes(self):
        """Weights, states, and the cell state of each of the block's units and rows."""
        cells = self.turns * self.shape.rows * self.shape.units
        return 4 * (self.weights_floats + self.states_floats + cells)


def residences(n, batch, gpu):
    """The ways to lay a layer on a GPU, a block on each multiprocessor: the quickest first."""
    across = -(-n // RESIDENT_UNITS)
    most = gpu.multiprocessors // across
    found = []
    for shape in RESIDENT_SHAPES:
        tiles = -(-batch // shape.rows)
        down = min(most, tiles)
        if down:
            found.append(Residence(shape, across, down, -(-tiles // down), n))
    return sorted(found, key=lambda r: (r.turns * r.shape.rows, r.turns))


def residence(n, batch, gpu):
    """The first of `residences` that fits into shared memory; None where there is none."""
    fitting = (r for r in residences(n, batch, gpu) if r.shared_bytes <= gpu.shared_bytes_opt_in)
    return next(fitting, None)


def no_residence(n, batch, gpu):
    """Why a layer cannot lie on a GPU as a whole; None where it can."""
    if residence(n, batch, gpu):
        return None
    across = -(-n // RESIDENT_UNITS)
    if across > gpu.multiprocessors:
        return (
            f"n {n}: {across} blocks of {RESIDENT_UNITS} units would have to be on the GPU at once, "
            f"one on each of its {gpu.multiprocessors} multiprocessors"
        )
    least = min(r.shared_bytes for r in residences(n, batch, gpu))
    return (
        f"n {n}, batch {batch}: the recurrent weights of {RESIDENT_UNITS} units with states and sums take {least} "
        f"bytes of shared memory, the limit is {gpu.shared_bytes_opt_in}"
    )
