"""matmul: C = A·B, the product of two matrices.

Each variant is declared below with its idea, in the order in which the ladder is climbed. `cpu` has the rungs on the
CPU, from three loops to `_shared.gemm`; the ladder on a GPU, up to matrix units and warpgroups, is in `cuda`; what it
is compared with is in `problem`, `torch` and `gpu_peers`.
"""

from gpuplay.kernel import Array, Cost, Kernel, Param, Probe, Variant

from .._shared.blocking import KNOBS, workspace
from . import cuda, gpu_peers


def arrays(p):
    """C is m×n, A is m×k, B is k×n."""
    return (Array("C", (p.m, p.n), "out"), Array("A", (p.m, p.k)), Array("B", (p.k, p.n)))


def cost(p):
    """2·m·n·k operations; each matrix moved once."""
    return Cost(2.0 * p.m * p.n * p.k, p.itemsize * float(p.m * p.k + p.k * p.n + p.m * p.n))


def depth(p):
    """Products that make an element of C."""
    return p.k


def panels(p, knobs):
    """For each worker, packed panels of a block of B."""
    return workspace(p.m, p.k, p.n, knobs)


KERNEL = Kernel(
    name="matmul",
    summary="C = A·B, n×n",
    size="256..2048",
    size_help="columns of B and C; A and B are n×n unless --m or --k say otherwise",
    params=(
        Param("m", "rows of A and C"),
        Param("k", "columns of A, rows of B"),
    ),
    arrays=arrays,
    inputs="problem:inputs",
    reference="problem:reference",
    tolerance="problem:tolerance",
    check="problem:check",
    reduction=depth,
    probes=(Probe("small integers", "problem:integers", exact=True),),
    odd_shapes=({"m": 33, "k": 7}, {"m": 1, "k": 129}),
    cost=cost,
    baseline="numpy:blas",
    story=("numpy:blas", "cpu:scalar", "cpu:simd", "cpu:parallel", "cuda:warps"),
    variants=(
        Variant("numpy:blas", "library", "the BLAS that NumPy brings", "problem:blas", library="BLAS"),
        Variant(
            "torch:mm", "library", "the BLAS that PyTorch brings, into a given C", "torch:mm", library="PyTorch, BLAS"
        ),
        *gpu_peers.VARIANTS,
        Variant("python:loop", "SISD", "interpreted: every number is an object", "cpu:loop"),
        Variant(
            "cpu:naive", "SISD", "textbook order: the inner loop jumps a whole row of B at every step", "cpu:naive"
        ),
        Variant(
            "cpu:reordered",
            "SISD",
            "another order of the same loops: the inner one walks along a row of B and a row of C",
            "cpu:reordered",
            improves_on="cpu:naive",
        ),
        Variant(
            "cpu:vectorised",
            "SIMD",
            "the same source: one instruction multiplies a number of A by a whole vector of B",
            "cpu:reordered",
            improves_on="cpu:reordered",
        ),
        Variant(
            "cpu:blocked",
            "SIMD",
            "block by block: rows of B are used again while they are in the second cache",
            "cpu:blocked",
            improves_on="cpu:vectorised",
        ),
        Variant(
            "cpu:scalar",
            "SISD",
            "the source of cpu:simd with vectors of one lane: one number at a time",
            "cpu:simd",
            workspace=panels,
        ),
        Variant(
            "cpu:simd",
            "SIMD",
            "a tile of C stays in registers, and packed panels of B reach it as one plain stream",
            "cpu:simd",
            knobs=KNOBS,
            improves_on="cpu:blocked",
            workspace=panels,
        ),
        Variant(
            "cpu:parallel",
            "MIMD",
            "the same source: every core computes a rectangle of C",
            "cpu:parallel",
            knobs=KNOBS,
            improves_on="cpu:simd",
            workspace=panels,
        ),
        *cuda.VARIANTS,
    ),
)
