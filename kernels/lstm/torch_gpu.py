"""lstm by PyTorch on a GPU, a peer: cuDNN's layer, its weights in one piece as ``torch.nn.LSTM`` keeps them there."""

import numpy as np
import torch

from .torch import ONE_LAYER


def one_piece(_p, W_ih, W_hh, b_ih, b_hh):
    """The weights one after another, which is how cuDNN stores those of one layer.

    ``torch.nn.LSTM`` lays them out so when it moves to a GPU. In several pieces PyTorch would join them at each call.
    """
    return np.concatenate([part.reshape(-1) for part in (W_ih, W_hh, b_ih, b_hh)])


def lstm(p):
    """All states in new tensors, which is what its users get; there is no way to give it any."""
    gates = 4 * p.n

    def run(_hs, _c_last, x, h0, c0, packed):
        W_ih, W_hh, b_ih, b_hh = packed.split((gates * p.n, gates * p.n, gates, gates))
        weights = (W_ih.view(gates, p.n), W_hh.view(gates, p.n), b_ih, b_hh)
        hs, _, c = torch.lstm(x, (h0[None], c0[None]), weights, **ONE_LAYER)
        return hs, c[0]

    return run
