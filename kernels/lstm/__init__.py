"""lstm: all steps of one LSTM layer, gates i, f, g, o as torch.nn.LSTM documents them.

    i, f, o = sigmoid(W_ih·x + b_ih + W_hh·h + b_hh), g = tanh(…), each with its own n rows of the weights
    c = f·c + i·g
    h = o·tanh(c)

cpu:separate    each gate a product with x and one with h; gates and states in passes over memory of their own
cpu:joined      a step is one product: the weights of all gates, as they stand, with x and h
cpu:packed      the weights are packed once for all steps
cpu:simd        the new states of a few units are computed while the sums of their gates are in the first cache;
                for batches below 4 vectors run along the units, and x of all steps is multiplied at once
cpu:scalar      the source of cpu:simd, one number at a time
cpu:parallel    the same source, units shared among the cores; all meet after every step
torch:lstm      PyTorch's layer, a peer
cuda:unfused    a launch for each gate and for each operation: gates travel to memory and back
cuda:fused      one GPU function a step: four sums in registers, tiles in shared memory
"""

from gpuplay.kernel import Array, Cost, Kernel, Knob, Param, Variant

from .._shared import limits
from ..activation import OPERATIONS
from .blocking import KNOBS, packed_workspace, steps_workspace, workspace

THREADS = Knob((64, 128, 256), default=256, help="threads of a block")
UNITS = 16
FUSED_REGISTERS = 128  # a thread of cuda:fused, rounded up; float64 on sm_90 needs 120
REGISTERS_A_BLOCK = 65536


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


def fits_fused(p, knobs, machine):
    """As `fits_block`, and the registers of all threads of a block exist."""
    block, most = knobs["block"], REGISTERS_A_BLOCK // FUSED_REGISTERS
    if block > most and block <= machine.gpu.threads_per_block:
        return f"block {block}: four gates take some {FUSED_REGISTERS} registers a thread, the limit is {most} threads"
    return fits_block(p, knobs, machine)


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
    story=("numpy:blas", "cpu:scalar", "cpu:simd", "cpu:parallel", "cuda:fused"),
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
        Variant("python:loop", "SISD", "interpreted: every number is an object", "cpu:loop"),
        Variant(
            "cpu:separate",
            "SIMD",
            "each gate is a product with x and one with h; then a pass over memory for each operation",
            "rungs:separate",
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
        Variant(
            "cuda:unfused",
            "SIMT",
            "a launch for each gate and each operation; every one reads and writes global memory",
            "cuda:unfused",
            knobs={"block": THREADS},
            applies=fits_block,
            workspace=gates_workspace,
        ),
        Variant(
            "cuda:fused",
            "SIMT",
            "one launch a step: four gates summed in registers, and no gate ever reaches memory",
            "cuda:fused",
            knobs={"block": THREADS},
            improves_on="cuda:unfused",
            applies=fits_fused,
        ),
    ),
)
