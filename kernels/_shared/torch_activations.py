"""Elementwise activation functions of PyTorch, each in one pass into a given tensor.

These are the functions behind ``torch.nn.functional`` (in torch._C._nn), which itself takes ``out=`` for
none of them; a result in a new tensor would first have to find its memory, page by page.
"""

import torch

_nn = torch._C._nn

# softplus is x where x exceeds its threshold. The default, 20, is off by 2e-9 there, too much for float64.
SOFTPLUS_THRESHOLD = 40


def _relu(x, *, out):
    torch.clamp_min(x, 0, out=out)


def _leaky_relu(x, *, out):
    _nn.leaky_relu(x, 0.01, out=out)


def _softplus(x, *, out):
    _nn.softplus(x, 1, SOFTPLUS_THRESHOLD, out=out)


def _identity(x, *, out):
    """A copy; none where the result stays in place."""
    if out is not x:
        out.copy_(x)


INTO = {
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": _nn.gelu,
    "silu": _nn.silu,
    "softplus": _softplus,
    "identity": _identity,
}
"""``INTO[name](x, out=y)`` computes an activation; ``y`` may be ``x`` itself."""
