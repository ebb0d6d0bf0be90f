"""Activation four elements at a time: 128-bit loads and stores, several of them under way in every thread.

Y = f(X), both of n float32. A thread computes four *quads*, four adjacent elements each. The quads of a warp's
lanes lie side by side, 512 bytes in 16 sectors to a request, the fewest there can be; those of a thread lie a
block apart. Traffic: n/8 sectors loaded, n/8 stored, 8·n bytes in all, which is the least.

The blocks of quads take what they fill; a second launch, a thread an element, takes the rest of the array.
"""

import functools

from numba import cuda

from gpuplay.intrinsics.ptx import load4, load4_streaming, store4, store4_streaming

from ..._shared.gpu_activations import activation

QUAD = 4
QUADS = 4  # of a thread


@functools.cache
def of_quads(function):
    """A device function: the activation of each of four elements."""
    f = activation(function, "float32")

    @cuda.jit(device=True, forceinline=True)
    def of_each(quad):
        a, b, c, d = quad
        return f(a), f(b), f(c), f(d)

    return of_each


@functools.cache
def of_rest(function):
    """A GPU function: the activation of the elements from ``start`` on, a thread each."""
    f = activation(function, "float32")

    @cuda.jit(cache=True)
    def activation_rest(Y, X, start):
        i = start + cuda.grid(1)
        if i < X.size:
            Y[i] = f(X[i])

    return activation_rest


def launches(of_blocks, rest, block):
    """A run: ``of_blocks`` for what whole blocks of quads fill, ``rest`` for what remains."""
    share = QUADS * QUAD * block

    def run(gpu, Y, X):
        blocks, remaining = divmod(X.size, share)
        if blocks:
            gpu.launch(of_blocks, blocks, block, Y, X)
        if remaining:
            gpu.launch(rest, -(-remaining // block), block, Y, X, blocks * share)

    return run


def vectorised(p, block):
    """128 bits to a load: a quarter of the instructions, and four loads under way in every thread.

    All four loads of a thread are under way before it computes and stores the first. A quarter of the load
    instructions, and four times 16 bytes a thread to hide the latency of memory behind.
    """
    f, step = of_quads(p.function), QUAD * block
    share = QUADS * step

    @cuda.jit(cache=True)
    def activation_vectorised(Y, X):
        i = cuda.blockIdx.x * share + QUAD * cuda.threadIdx.x
        p, q, r, s = load4(X, i), load4(X, i + step), load4(X, i + 2 * step), load4(X, i + 3 * step)
        store4(Y, i, f(p))
        store4(Y, i + step, f(q))
        store4(Y, i + 2 * step, f(r))
        store4(Y, i + 3 * step, f(s))

    return launches(activation_vectorised, of_rest(p.function), block)


def streaming(p, block):
    """The same with hints to the caches: what is read and written once makes way for what comes.

    What is read leaves them before anything else, and so does what is written, which makes room for the loads under
    way.
    """
    f, step = of_quads(p.function), QUAD * block
    share = QUADS * step

    @cuda.jit(cache=True)
    def activation_streaming(Y, X):
        i = cuda.blockIdx.x * share + QUAD * cuda.threadIdx.x
        p, q = load4_streaming(X, i), load4_streaming(X, i + step)
        r, s = load4_streaming(X, i + 2 * step), load4_streaming(X, i + 3 * step)
        store4_streaming(Y, i, f(p))
        store4_streaming(Y, i + step, f(q))
        store4_streaming(Y, i + 2 * step, f(r))
        store4_streaming(Y, i + 3 * step, f(s))

    return launches(activation_streaming, of_rest(p.function), block)
