"""Activation on a GPU, element by element: a thread each, or a grid that strides.

Y = f(X), both of n elements. Consecutive threads read and write consecutive words, so that the 32 loads of a warp
become four 32-byte sectors each (float32), the fewest there can be. Traffic: n/8 sectors loaded and n/8 stored,
8·n bytes. All else is waiting for memory.
"""

from numba import cuda

from ..._shared.gpu_activations import activation

THREADS_AN_SM = 2048


def map_(p, block):
    """One thread an element; adjacent threads touch adjacent words.

    Blocks are whole: threads past the end do nothing.
    """
    f = activation(p.function, p.dtype)

    @cuda.jit(cache=True)
    def activation_map(Y, X):
        i = cuda.grid(1)
        if i < X.size:
            Y[i] = f(X[i])

    def run(gpu, Y, X):
        gpu.launch(activation_map, (X.size + block - 1) // block, block, Y, X)

    return run


def grid_stride(p, block):
    """A grid that just fills the GPU, each thread striding over the array.

    As many blocks as the GPU holds at once; index arithmetic is paid once a thread.
    """
    f = activation(p.function, p.dtype)

    @cuda.jit(cache=True)
    def activation_grid_stride(Y, X):
        for i in range(cuda.grid(1), X.size, cuda.gridsize(1)):
            Y[i] = f(X[i])

    def run(gpu, Y, X):
        resident = gpu.properties.multiprocessors * (THREADS_AN_SM // block)
        gpu.launch(activation_grid_stride, min(resident, (X.size + block - 1) // block), block, Y, X)

    return run
