"""y = 2·x, n by n, on grids that end somewhere, and on grids that grow."""

from numba import cuda

from gpuplay.kernel import Kernel, Variant


@cuda.jit
def double(y, x):
    j, i = cuda.grid(2)
    if i < x.shape[0] and j < x.shape[1]:
        y[i, j] = x[i, j] + x[i, j]


@cuda.jit
def double_striding(y, x):
    j, i = cuda.grid(2)
    down, across = cuda.gridsize(2)[1], cuda.gridsize(2)[0]
    for row in range(i, x.shape[0], down):
        for column in range(j, x.shape[1], across):
            y[row, column] = x[row, column] + x[row, column]


def on(function, grid):
    return lambda p: lambda gpu, y, x: gpu.launch(function, grid(p.n), (16, 16), y, x)


KERNEL = Kernel(
    name="grids",
    summary="y = 2·x, n×n",
    size="64..1024x4",
    inputs=lambda p, rng: {"x": rng.standard_normal((p.n, p.n)).astype(p.dtype)},
    output=lambda p: (p.n, p.n),
    reference=lambda _p, x: 2 * x,
    dtypes=("float32",),
    variants=(
        Variant("cuda:fixed", "SIMT", "16 by 16 blocks", on(double, lambda _n: (16, 16))),
        Variant("cuda:striding", "SIMT", "16 by 16 blocks, in strides", on(double_striding, lambda _n: (16, 16))),
        Variant("cuda:growing", "SIMT", "as many blocks as it takes", on(double, lambda n: (-(-n // 16), -(-n // 16)))),
        Variant("cuda:high", "SIMT", "a block of rows each row", on(double, lambda n: (-(-n // 16), 64 * n))),
    ),
)
