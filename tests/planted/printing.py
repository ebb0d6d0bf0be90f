"""y = 2·x by a GPU function that says what it does, in a function that it calls, too."""

from numba import cuda

from gpuplay.kernel import Kernel, Variant


@cuda.jit(device=True)
def doubled(x):
    print("doubling", x)
    return x + x


@cuda.jit
def double(y, x):
    i = cuda.grid(1)
    if i < x.size:
        print("element", i, i > 1)
        y[i] = doubled(x[i])


KERNEL = Kernel(
    name="printing",
    summary="y = 2·x",
    size="64",
    inputs=lambda p, rng: {"x": rng.standard_normal(p.n).astype(p.dtype)},
    output=lambda p: p.n,
    reference=lambda _p, x: 2 * x,
    dtypes=("float32",),
    variants=(
        Variant("cuda:double", "SIMT", "a thread each", lambda p: lambda gpu, y, x: gpu.launch(double, p.n, 32, y, x)),
    ),
)
