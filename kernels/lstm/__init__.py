"""lstm: all steps of one LSTM layer, gates i, f, g, o as torch.nn.LSTM documents them.

    i, f, o = sigmoid(W_ih·x + b_ih + W_hh·h + b_hh), g = tanh(…), each with its own n rows of the weights
    c = f·c + i·g
    h = o·tanh(c)

Each variant is declared below with its idea, in the order in which the ladder is climbed. `cpu` has its foot and its
top on the CPU, `rungs` those between; the ladder on a GPU, up to one launch for all steps, is in `cuda`; what it is
compared with is in `problem`, `torch` and `torch_gpu`.
"""

from gpuplay.kernel import Array, Cost, Kernel, Param, Variant

from ..activation import OPERATIONS
from . import cuda
from .blocking import KNOBS, packed_workspace, steps_workspace, workspace


def arrays(p):
    """States and inputs are (steps, batch, n) or (batch, n); weights have 4n rows, gates in the order i, f, g, o."""
    state, sequence = (p.batch, p.n), (p.steps, p.batch, p.n)
    return (
        Array("hs", sequence, "out"),
        Array("c_last", state, "out"),
        Array("x", sequence),
        Array("h0", state),
        Array("c0", state),
        Array("W_ih", (4 * p.n, p.n), "weight"),
        Array("W_hh", (4 * p.n, p.n), "weight"),
        Array("b_ih", (4 * p.n,), "weight"),
        Array("b_hh", (4 * p.n,), "weight"),
    )


def cost(p):
    """Operations of every step, row of the batch and unit; every array moved once.

    Four gates are 2n products and as many additions each: 16·n. Two biases for each gate are 8, three
    sigmoids and two tanh count as in activation, c = f·c + i·g is 3 and h = o·tanh(c) is 1.
    """
    unit = 16.0 * p.n + 8 + 3 * OPERATIONS["sigmoid"] + 2 * OPERATIONS["tanh"] + 3 + 1
    elements = (2 * p.steps + 3) * p.batch * p.n + 8 * p.n * p.n + 8 * p.n
    return Cost(p.steps * p.batch * p.n * unit, p.itemsize * float(elements))


def numpy_workspace(p, _knobs):
    """The input's part of all gates, the gates of one step, two temporaries, and the sum of the biases."""
    return (
        Array("projected", (p.steps, p.batch, 4 * p.n)),
        Array("gates", (p.batch, 4 * p.n)),
        Array("scratch", (p.batch, 2 * p.n)),
        Array("product", (p.batch, p.n)),
        Array("bias", (4 * p.n,)),
    )


def torch_library(p):
    """PyTorch gives float32 to oneDNN; float64 takes a BLAS product and elementwise functions a step."""
    return "PyTorch, oneDNN" if p.dtype == "float32" else "PyTorch, BLAS"


KERNEL = Kernel(
    name="lstm",
    summary="all steps of an LSTM layer, n units on n inputs",
    size="64..512",
    size_help="hidden units, and inputs of each step",
    params=(
        Param("batch", "sequences side by side", 64),
        Param("steps", "length of the sequences", 16),
    ),
    arrays=arrays,
    inputs="problem:inputs",
    reference="problem:reference",
    tolerance="problem:tolerance",
    check_at={"batch": 5, "steps": 3},
    odd_shapes=({"batch": 3, "steps": 2},),
    cost=cost,
    baseline="numpy:blas",
    story=("numpy:blas", "cpu:scalar", "cpu:simd", "cpu:parallel", "cuda:hoisted"),
    variants=(
        Variant(
            "numpy:blas",
            "library",
            "the inputs of all steps in one product, then a product and a dozen ufuncs for each step",
            "problem:blas",
            workspace=numpy_workspace,
            library="BLAS",
        ),
        Variant(
            "torch:lstm",
            "library",
            "a whole layer in one call of PyTorch's library",
            "torch:lstm",
            library=torch_library,
        ),
        Variant(
            "torch_gpu:lstm",
            "library",
            "a whole layer in one call of cuDNN through PyTorch",
            "torch_gpu:lstm",
            prepare="torch_gpu:one_piece",
            library="PyTorch, cuDNN, TF32 off",
        ),
        Variant("python:loop", "SISD", "interpreted: every number is an object", "cpu:loop"),
        Variant(
            "cpu:naive",
            "SISD",
            "the equations, compiled: each gate of each unit is a dot product, and reads its row of the weights again",
            "cpu:naive",
        ),
        Variant(
            "cpu:separate",
            "SIMD",
            "each gate is a product with x and one with h; then a pass over memory for each operation",
            "rungs:separate",
            improves_on="cpu:naive",
            workspace=steps_workspace,
        ),
        Variant(
            "cpu:joined",
            "SIMD",
            "the four gates are one product a step: x and h are packed once, and each sum is finished at one go",
            "rungs:joined",
            improves_on="cpu:separate",
            workspace=steps_workspace,
        ),
        Variant(
            "cpu:packed",
            "SIMD",
            "the weights are packed once for all steps, and reach the tiles as one plain stream",
            "rungs:packed",
            improves_on="cpu:joined",
            workspace=packed_workspace,
        ),
        Variant(
            "cpu:scalar",
            "SISD",
            "the source of cpu:simd with vectors of one lane: one number at a time",
            "cpu:simd",
            workspace=workspace,
        ),
        Variant(
            "cpu:simd",
            "SIMD",
            "new states are made at the end of each block of sums, while its gates are in the first cache",
            "cpu:simd",
            knobs=KNOBS,
            improves_on="cpu:packed",
            workspace=workspace,
        ),
        Variant(
            "cpu:parallel",
            "MIMD",
            "the same source: every core takes its units, and all meet after every step",
            "cpu:parallel",
            knobs=KNOBS,
            improves_on="cpu:simd",
            workspace=workspace,
        ),
        *cuda.VARIANTS,
    ),
)
