"""conv2d by PyTorch, a peer: `torch.nn.functional.conv2d`, whose library picks an algorithm by the shape."""

import torch
from torch.nn.functional import conv2d as convolve


def conv2d(p):
    """Y = X ∗ W in a new tensor, which is what its users get; there is no way to give it one."""
    stride, padding = p.stride, p.padding

    def run(_Y, X, W):
        return convolve(X, W, None, stride, padding)

    return run


def library(p):
    """What PyTorch calls for this shape, type and number of threads, asked of PyTorch itself.

    What it does not give to oneDNN (float64, one thread on 1×1) it unfolds to columns for its BLAS.
    """
    dtype = getattr(torch, p.dtype)
    X = torch.empty((p.batch, p.channels, p.n, p.n), dtype=dtype)
    W = torch.empty((p.filters, p.channels, p.kernel_size, p.kernel_size), dtype=dtype)
    steps = ([p.stride] * 2, [p.padding] * 2, [1, 1])
    chosen = torch._C._select_conv_backend(X, W, None, *steps, transposed=False, output_padding=[0, 0], groups=1)
    return "PyTorch, oneDNN" if chosen == torch._C._ConvBackend.Mkldnn else "PyTorch, BLAS"
