"""lstm_cell: inputs, the float64 reference, and a baseline."""

import numpy as np

from .._shared import numpy_activations


def inputs(p, rng):
    """Normal numbers; ``sums`` are the products and biases added up, so that all variants compute the same states."""

    def normal(*shape):
        return rng.standard_normal(shape, dtype=p.dtype)

    x_products, h_products, b_ih, b_hh = (
        normal(p.batch, 4 * p.n),
        normal(p.batch, 4 * p.n),
        normal(4 * p.n),
        normal(4 * p.n),
    )
    sums = (x_products + h_products + b_ih + b_hh).reshape(p.batch, 4, p.n).transpose(1, 0, 2)
    given = {"x_products": x_products, "h_products": h_products, "c0": normal(p.batch, p.n), "b_ih": b_ih, "b_hh": b_hh}
    return {"sums": np.ascontiguousarray(sums), **given}


def reference(_p, _sums, x_products, h_products, c0, b_ih, b_hh):
    """Both states in float64, from the products: it shows, too, that the sums are theirs."""
    i, f, g, o = np.split(x_products + h_products + b_ih + b_hh, 4, axis=1)
    i, f, o = (numpy_activations.reference("sigmoid", z) for z in (i, f, o))
    c = f * c0 + i * np.tanh(g)
    return (o * np.tanh(c))[None], c


def ufuncs(_p):
    """One ufunc after another, from the complete sums."""

    def run(h, c, sums, _x_products, _h_products, c0, _b_ih, _b_hh):
        i, f, o = (numpy_activations.apply("sigmoid", sums[gate]) for gate in (0, 1, 3))
        np.add(f * c0, i * np.tanh(sums[2]), out=c)
        np.multiply(o, np.tanh(c), out=h[0])

    return run
