"""lstm: inputs, the float64 reference, error bounds, and the baseline."""

import numpy as np

from gpuplay.bounds import dot_bound, unit_roundoff

from .._shared import numpy_activations

FEW = 8.0


def inputs(p, rng):
    """Sequences standard normal, states half of that, weights with variance 1/n so that gates stay of size 1."""

    def normal(*shape, scale=1.0):
        values = rng.standard_normal(shape, dtype=p.dtype)
        values *= values.dtype.type(scale)
        return values

    small = p.n**-0.5
    return {
        "x": normal(p.steps, p.batch, p.n),
        "h0": normal(p.batch, p.n, scale=0.5),
        "c0": normal(p.batch, p.n, scale=0.5),
        "W_ih": normal(4 * p.n, p.n, scale=small),
        "W_hh": normal(4 * p.n, p.n, scale=small),
        "b_ih": normal(4 * p.n, scale=small),
        "b_hh": normal(4 * p.n, scale=small),
    }


def _gates(x, h, W_ih, W_hh, b_ih, b_hh):
    """Gates i, f, g, o of one step, each (batch, n)."""
    sums = x @ W_ih.T + b_ih + h @ W_hh.T + b_hh
    i, f, g, o = np.split(sums, 4, axis=1)
    i, f, o = (numpy_activations.reference("sigmoid", z) for z in (i, f, o))
    return i, f, np.tanh(g), o


def reference(p, x, h0, c0, W_ih, W_hh, b_ih, b_hh):
    """All hidden states and the last cell state in float64; costs what the timed work costs."""
    hs, h, c = np.empty((p.steps, p.batch, p.n)), h0, c0
    for t in range(p.steps):
        i, f, g, o = _gates(x[t], h, W_ih, W_hh, b_ih, b_hh)
        c = f * c + i * g
        h = hs[t] = o * np.tanh(c)
    return hs, c


def tolerance(p, _expected, x, h0, c0, W_ih, W_hh, b_ih, b_hh):
    """First-order propagation of rounding errors along the recurrence, element by element.

    Write dv for the bound on the error of v, and u for the unit roundoff.

    1. A gate's sum z is a dot product of (x, h, 1, 1) with a row (w_ih, w_hh, b_ih, b_hh), so rounding
       adds `dot_bound` of the two norms. The errors of the h it reads are independent of each other
       and of the weights, and add up in quadrature: dz² = dot_bound² + Σ_k (w_hh,k · dh_k)².
    2. sigmoid' = s·(1 - s) and tanh' = 1 - g², and each function rounds: ds = s·(1 - s)·dz + 8·u·s,
       dg = (1 - g²)·dz + 8·u·|g|.
    3. c = f·c' + i·g gives dc = f·dc' + |c'|·df + i·dg + |g|·di + 4·u·(|f·c'| + |i·g|).
    4. h = o·tanh(c) gives dh = |tanh c|·do + o·(1 - tanh² c)·dc + 8·u·|h|.

    dz holds the margin of `dot_bound` (eleven standard deviations) and hands it on; 3 and 4 add
    absolute values where the errors would partly cancel. dc and dh start at 0 and stay near
    8·u·√(steps), since f and o are below 1: a wrong element is off by much more.
    """
    u = unit_roundoff(p.dtype)
    squares = np.square(W_hh)
    rows = np.sqrt(np.sum(np.square(W_ih) + squares, axis=1) + np.square(b_ih) + np.square(b_hh))[None, :]
    dhs, h, c = np.empty((p.steps, p.batch, p.n)), h0, c0
    dh, dc = np.zeros_like(h0), np.zeros_like(c0)
    for t in range(p.steps):
        i, f, g, o = _gates(x[t], h, W_ih, W_hh, b_ih, b_hh)
        norms = np.sqrt(np.sum(np.square(x[t]) + np.square(h), axis=1) + 2)[:, None]
        dz = np.sqrt(np.square(dot_bound(p.dtype, norms, rows)) + np.square(dh) @ squares.T)
        di, df, dg, do = np.split(dz, 4, axis=1)
        di, df, do = (s * (1 - s) * ds + FEW * u * s for s, ds in ((i, di), (f, df), (o, do)))
        dg = (1 - g * g) * dg + FEW * u * np.abs(g)
        dc = f * dc + np.abs(c) * df + i * dg + np.abs(g) * di + 4 * u * (np.abs(f * c) + np.abs(i * g))
        c = f * c + i * g
        tanh = np.tanh(c)
        h = o * tanh
        dh = dhs[t] = np.abs(tanh) * do + o * (1 - tanh * tanh) * dc + FEW * u * np.abs(h)
    return dhs, dc


def blas(p):
    """W_ih·x of all steps by one np.matmul, W_hh·h step by step; gates by ufuncs, in place."""
    n, steps, batch = p.n, p.steps, p.batch
    apply = numpy_activations.apply

    def run(hs, c_last, x, h0, c0, W_ih, W_hh, b_ih, b_hh, projected, gates, scratch, product, bias):
        np.add(b_ih, b_hh, out=bias)
        np.matmul(x.reshape(steps * batch, n), W_ih.T, out=projected.reshape(steps * batch, 4 * n))
        np.copyto(c_last, c0)
        i_f, i, f = gates[:, : 2 * n], gates[:, :n], gates[:, n : 2 * n]
        g, o = gates[:, 2 * n : 3 * n], gates[:, 3 * n :]
        h = h0
        for t in range(steps):
            np.matmul(h, W_hh.T, out=gates)
            np.add(gates, projected[t], out=gates)
            np.add(gates, bias, out=gates)
            apply("sigmoid", i_f, out=i_f, work=[scratch])
            apply("sigmoid", o, out=o, work=[product])
            apply("tanh", g, out=g, work=[])
            np.multiply(c_last, f, out=c_last)
            np.multiply(i, g, out=product)
            np.add(c_last, product, out=c_last)
            h = hs[t]
            np.tanh(c_last, out=h)
            np.multiply(h, o, out=h)

    return run
