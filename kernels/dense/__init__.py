"""dense: Y = σ(X·Wᵀ + b), a fully connected layer with its activation.

Each variant is declared below with its idea, in the order in which the ladder is climbed. `cpu` has the rungs on the
CPU; the ladder on a GPU, up to a GEMM with its epilogue, is in `cuda`; what it is compared with is in `problem` and
`torch`.
"""

from gpuplay.kernel import Array, Cost, Kernel, Param, Probe, Variant

from .._shared.blocking import KNOBS
from ..activation import FUNCTIONS, OPERATIONS
from . import cuda
from .blocking import workspace

NUMPY_BLOCK = 1 << 14


def arrays(p):
    """Y and X are batch×n, W is n×n with a row for each output, b has n elements."""
    return (
        Array("Y", (p.batch, p.n), "out"),
        Array("X", (p.batch, p.n)),
        Array("W", (p.n, p.n), "weight"),
        Array("b", (p.n,), "weight"),
    )


def cost(p):
    """2·batch·n² operations of the product; for each output one of the bias and those of σ; arrays moved once."""
    outputs = p.batch * p.n
    flops = 2.0 * outputs * p.n + outputs * (1 + OPERATIONS[p.function])
    return Cost(flops, p.itemsize * float(2 * outputs + p.n * p.n + p.n))


def numpy_workspace(p, _knobs):
    """Three temporaries as long as a block of Y."""
    extent = min(p.batch * p.n, NUMPY_BLOCK)
    return tuple(Array(f"block{i}", (extent,)) for i in range(3))


def numpy_library(p):
    """The BLAS, and for gelu what stands in for NumPy's missing erf."""
    return "BLAS" + (", erf: polynomial × exp" if p.function == "gelu" else "")


KERNEL = Kernel(
    name="dense",
    summary="Y = σ(X·Wᵀ + b), batch×n into n",
    size="256..4096",
    size_help="inputs and outputs of the layer",
    params=(
        Param("batch", "rows of X (1 is a matrix-vector product)", 64),
        Param("function", "activation function σ; gelu is the erf form", "relu", FUNCTIONS),
    ),
    arrays=arrays,
    inputs="problem:inputs",
    reference="problem:reference",
    tolerance="problem:tolerance",
    probes=(Probe("small integers", "problem:integers", exact=True),),
    check_at={"batch": 7},
    odd_shapes=({"batch": 1}, {"batch": 33}, {"batch": 577}),
    cost=cost,
    baseline="numpy:blas",
    story=("numpy:blas", "cpu:scalar", "cpu:simd", "cpu:parallel", "cuda:split_k"),
    variants=(
        Variant(
            "numpy:blas",
            "library",
            "the BLAS that NumPy brings, then one pass over Y for the bias and each step of σ",
            "problem:blas",
            workspace=numpy_workspace,
            library=numpy_library,
        ),
        Variant(
            "torch:linear",
            "library",
            "bias and product in one call of PyTorch's BLAS, then σ in place",
            "torch:linear",
            library="PyTorch, BLAS",
        ),
        Variant(
            "torch_gpu:linear",
            "library",
            "bias and product in one call of cuBLAS through PyTorch, then σ in place",
            "torch:linear",
            library="PyTorch, cuBLAS, TF32 off",
        ),
        Variant("python:loop", "SISD", "interpreted: every number is an object", "cpu:loop"),
        Variant("cpu:naive", "SISD", "the definition: every row of X reads the whole of W again", "cpu:naive"),
        Variant(
            "cpu:scalar",
            "SISD",
            "W is read once: a tile of sums stays in registers, and gets its bias and σ while it is in the cache",
            "cpu:simd",
            improves_on="cpu:naive",
            workspace=workspace,
        ),
        Variant(
            "cpu:simd",
            "SIMD",
            "the same source: one instruction serves a vector of the batch",
            "cpu:simd",
            knobs=KNOBS,
            improves_on="cpu:scalar",
            workspace=workspace,
        ),
        Variant(
            "cpu:parallel",
            "MIMD",
            "the same source: every core takes its share of the rows of W",
            "cpu:parallel",
            knobs=KNOBS,
            improves_on="cpu:simd",
            workspace=workspace,
        ),
        *cuda.VARIANTS,
    ),
)
