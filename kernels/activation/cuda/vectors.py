"""Activation four elements at a time: 128-bit loads and stores, several of them under way in every thread.

Y = f(X), both of n float32. A thread computes four *quads*, four adjacent elements each. The quads of a warp's
lanes lie side by side, 512 bytes in 16 sectors to a request, the fewest there can be; those of a thread lie a
block apart. Traffic: n/8 sectors loaded, n/8 stored, 8·n bytes in all, which is the least.
"""

import functools

from numba import cuda

from gpuplay.intrinsics.ptx import load4, load4_streaming, store4, store4_streaming

from ..._shared.gpu_activations import activation

QUAD = 4
QUADS = 4


@functools.cache
def of_quads(function, dtype):
    """A device function: the activation of each of four elements."""
    f = activation(function, dtype)

    @cuda.jit(device=True, forceinline=True)
    def of_each(quad):
        a, b, c, d = quad
        return f(a), f(b), f(c), f(d)

    return of_each


def vectorised(problem, block):
    """cuda:vectorised: all four loads of a thread are under way before it computes and stores the first.

    A quarter of the load instructions, and four times 16 bytes a thread to hide the latency of memory behind.
    """
    f, each = activation(problem.function, problem.dtype), of_quads(problem.function, problem.dtype)
    step = QUAD * block
    share = QUADS * step

    @cuda.jit(cache=True)
    def activation_vectorised(Y, X):
        start = cuda.blockIdx.x * share
        if start + share <= X.size:
            i = start + QUAD * cuda.threadIdx.x
            p, q, r, s = load4(X, i), load4(X, i + step), load4(X, i + 2 * step), load4(X, i + 3 * step)
            store4(Y, i, each(p))
            store4(Y, i + step, each(q))
            store4(Y, i + 2 * step, each(r))
            store4(Y, i + 3 * step, each(s))
        else:
            for i in range(start + cuda.threadIdx.x, X.size, block):
                Y[i] = f(X[i])

    def run(gpu, Y, X):
        gpu.launch(activation_vectorised, -(-X.size // share), block, Y, X)

    return run


def streaming(problem, block):
    """cuda:streaming: the same, and the caches are told that nothing is used twice.

    What is read leaves them before anything else, and so does what is written, which makes room for the loads
    under way.
    """
    f, each = activation(problem.function, problem.dtype), of_quads(problem.function, problem.dtype)
    step = QUAD * block
    share = QUADS * step

    @cuda.jit(cache=True)
    def activation_streaming(Y, X):
        start = cuda.blockIdx.x * share
        if start + share <= X.size:
            i = start + QUAD * cuda.threadIdx.x
            p, q = load4_streaming(X, i), load4_streaming(X, i + step)
            r, s = load4_streaming(X, i + 2 * step), load4_streaming(X, i + 3 * step)
            store4_streaming(Y, i, each(p))
            store4_streaming(Y, i + step, each(q))
            store4_streaming(Y, i + 2 * step, each(r))
            store4_streaming(Y, i + 3 * step, each(s))
        else:
            for i in range(start + cuda.threadIdx.x, X.size, block):
                Y[i] = f(X[i])

    def run(gpu, Y, X):
        gpu.launch(activation_streaming, -(-X.size // share), block, Y, X)

    return run
