"""activation: Y = f(X) elementwise, the kernel that is all memory traffic."""

from gpuplay.kernel import Array, Cost, Kernel, Knob, Param, Probe, Variant

from . import cuda

FUNCTIONS = ("relu", "leaky_relu", "sigmoid", "tanh", "gelu", "silu", "softplus", "identity")

# Operations an element: additions, multiplications, divisions, comparisons and sign changes count one
# each, and so does every exp, tanh, erf and ln, whatever it is made of.
OPERATIONS = {
    "relu": 1,  # compare with 0
    "leaky_relu": 2,  # compare, times slope
    "sigmoid": 4,  # negate, exp, 1 +, divide
    "tanh": 1,  # tanh
    "gelu": 5,  # times 1/√2, erf, 1 +, times x, times ½
    "silu": 5,  # sigmoid, times x
    "softplus": 5,  # absolute value, exp, ln(1 + ·), max(x, 0), add
    "identity": 0,  # a copy: the speed of memory itself
}
CHUNKS = Knob((1 << 12, 1 << 14, 1 << 16, 1 << 18), default=1 << 14, help="elements of a chunk")
NUMPY_BLOCK = 1 << 14


def arrays(p):
    """Y (n,) out of X (n,)."""
    return Array("Y", (p.n,), "out"), Array("X", (p.n,), "in")


def cost(p):
    """`OPERATIONS` an element; every element read once and written once."""
    return Cost(OPERATIONS[p.function] * p.n, 2 * p.n * p.itemsize)


def numpy_workspace(p, _knobs):
    """Three temporaries as long as a block of the array."""
    extent = min(p.n, NUMPY_BLOCK)
    return [Array(f"block{i}", (extent,), "out") for i in range(3)]


def numpy_library(p):
    """NumPy, and for gelu what stands in for its missing erf."""
    return "NumPy ufuncs" + (", erf: polynomial × exp" if p.function == "gelu" else "")


KERNEL = Kernel(
    name="activation",
    summary="Y = f(X) elementwise, f an activation function",
    size="2^12..2^26x4",
    size_help="number of elements",
    params=(Param("function", "activation function; gelu is the erf form", "sigmoid", FUNCTIONS),),
    arrays=arrays,
    cost=cost,
    inputs="problem:inputs",
    reference="problem:reference",
    check="problem:check",
    tolerance="problem:tolerance",
    probes=(
        Probe("the whole float range", "problem:whole_range", signed_zeros=True),
        Probe("the whole float range, zeros of either sign", "problem:whole_range_relu"),
    ),
    variants=(
        Variant(
            "numpy:ufunc",
            "library",
            "one pass over a block that stays in cache for every operation",
            "problem:ufunc",
            threads="one",
            workspace=numpy_workspace,
            library=numpy_library,
        ),
        Variant(
            "torch:map",
            "library",
            "PyTorch's vectorised function, one pass over memory on all cores",
            "torch:map_",
            library="PyTorch",
            may_fail=("the whole float range",),
        ),
        Variant(
            "torch_gpu:map",
            "library",
            "PyTorch's function, one launch; identity is the driver's device-to-device copy",
            "torch:map_",
            library="PyTorch",
            may_fail=("the whole float range",),
        ),
        Variant("python:loop", "SISD", "an interpreter between any two operations", "cpu:loop"),
        Variant("cpu:libm", "SISD", "compiled, but a call into the C library for each element", "cpu:libm"),
        Variant(
            "cpu:scalar",
            "SISD",
            "exp as a polynomial in line: one element at a time",
            "cpu:simd",
            improves_on="cpu:libm",
        ),
        Variant(
            "cpu:simd",
            "SIMD",
            "the same source: without a call or branch, one instruction serves a whole vector",
            "cpu:simd",
            improves_on="cpu:scalar",
        ),
        Variant(
            "cpu:threads",
            "MIMD",
            "chunks of the array shared out over all cores",
            "cpu:threads",
            improves_on="cpu:simd",
            knobs={"chunk": CHUNKS},
        ),
        Variant(
            "cpu:parallel",
            "MIMD",
            "one thread for little; much goes past the caches, which saves reading what is overwritten",
            "cpu:parallel",
            improves_on="cpu:threads",
            knobs={"chunk": CHUNKS},
        ),
        *cuda.VARIANTS,
    ),
    story=("numpy:ufunc", "cpu:scalar", "cpu:simd", "cpu:parallel", "cuda:streaming"),
    odd_shapes=tuple({"function": function} for function in FUNCTIONS),
)
