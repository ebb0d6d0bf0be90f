"""The new states of LSTM units from the sums of their gates, a vector at a time."""

from gpuplay.intrinsics.host.internal import inlined
from gpuplay.intrinsics.simd import absolute, select, with_sign
from gpuplay.intrinsics.vector_math import exp_negative, expm1_negative


@inlined
def _gate(z):
    """Numerator and denominator of sigmoid(z), both within 0 and 2: it is e^z/(1 + e^z) or 1/(1 + e^-z)."""
    e = exp_negative(-absolute(z), -0.0)
    return select(z < 0, e, 1.0), 1 + e


@inlined
def _bounded(z):
    """Numerator and denominator of tanh(z), the latter within 1 and 2."""
    m = expm1_negative(-2 * absolute(z))
    return with_sign(m, z), 2 + m


@inlined
def new_states(i, f, g, o, c):
    """The new cell state f·c + i·g and hidden state o·tanh of it, σ and tanh of the gates' sums included.

    Division is the slowest step of σ and tanh. Of five quotients only two are formed: those of i, f and g
    have a common denominator in the cell state, and so have those of o and tanh in the hidden state.
    """
    i, under_i = _gate(i)
    f, under_f = _gate(f)
    g, under_g = _bounded(g)
    o, under_o = _gate(o)
    both = under_i * under_g
    common = 1 / (under_f * both)
    cell = (f * (both * common)) * c + (i * g) * (under_f * common)
    bounded, under = _bounded(cell)
    return cell, o * bounded / (under_o * under)
