"""dense by PyTorch, a peer: what ``torch.nn.Linear`` and an activation come to, without their allocations."""

import torch

from .._shared.torch_activations import INTO


def linear(p):
    """Y = X·Wᵀ + b by `torch.addmm`, a row alone too, into the given Y; then σ in place."""
    into = INTO[p.function]

    def run(Y, X, W, b):
        torch.addmm(b, X, W.T, out=Y)
        into(Y, out=Y)

    return run
