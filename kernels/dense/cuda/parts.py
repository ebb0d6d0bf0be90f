"""How dense divides k among blocks, in plain integers: declarations and compiled code read this file."""

from gpuplay.kernel import Array

SIDE = 64  # of a tile
BLOCKS = 264  # two for each multiprocessor of a large GPU
SHORTEST = 128  # steps of k that are worth a block of their own
STEP = 8  # a part is a multiple of the steps that a block takes at a time


def division(p):
    """Parts of k, and how many steps each has, the last one perhaps fewer."""
    tiles = -(-p.batch // SIDE) * -(-p.n // SIDE)
    parts = max(1, min(BLOCKS // tiles, p.n // SHORTEST))
    share = -(-p.n // (parts * STEP)) * STEP
    return -(-p.n // share), share


def workspace(p, _knobs):
    """The parts of all sums, where there is more than one."""
    parts, _ = division(p)
    return (Array("sums", (parts * p.batch * p.n,)),) if parts > 1 else ()
