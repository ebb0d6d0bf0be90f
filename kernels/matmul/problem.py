"""matmul: inputs, the float64 reference, error bounds, a check cheaper than the product, and the baseline."""

import numpy as np

from gpuplay.bounds import Comparison, dot_bound, small_integers

ROWS_AT_A_TIME = 256
FULL_ROWS = 8
SIGN_VECTORS = 4


def inputs(p, rng):
    """A (m, k) and B (k, n), independent standard normal numbers."""
    return {
        "A": rng.standard_normal((p.m, p.k), dtype=p.dtype),
        "B": rng.standard_normal((p.k, p.n), dtype=p.dtype),
    }


def integers(p, rng):
    """Whole numbers so small that every sum of products is exact."""
    return {
        "A": small_integers(rng, (p.m, p.k), p.dtype, p.k),
        "B": small_integers(rng, (p.k, p.n), p.dtype, p.k),
    }


def reference(_p, A, B):
    """The product in float64."""
    return A @ B


def tolerance(p, _expected, A, B):
    """Every element is a dot product of a row of A and a column of B: `dot_bound` of their norms."""
    return dot_bound(p.dtype, np.linalg.norm(A, axis=1)[:, None], np.linalg.norm(B, axis=0)[None, :])


def check(p, outputs, inputs, rng):
    """Verify C at the cost of a few matrix-vector products: Freivalds' check, some full rows, last row and column.

    Freivalds: C·s = A·(B·s) for vectors s of random signs, in float64. An element that is wrong by
    d changes its row's product by ±d, whatever the signs. The rounding errors e_j of row i are
    independent of the signs, so Σ s_j e_j grows like their norm: with |e_j| <= 8·u·‖a_i‖·‖b_j‖ it
    stays within 8·u·‖a_i‖·‖B‖_F. Two wrong elements of a row cancel in all vectors with
    probability 2^-4 at most. (R. Freivalds, "Probabilistic machines can use less running time", 1977.)
    No matrix is ever copied to float64 as a whole.
    """
    C, A, B = outputs["C"], inputs["A"], inputs["B"]
    lengths, heights = _norms(A, axis=1), _norms(B, axis=0)

    def full_rows(rows):
        bound = dot_bound(p.dtype, lengths[rows][:, None], heights[None, :])
        return Comparison("C", C[rows], _times(A[rows], B), bound, index=lambda i, j: (int(rows[i]), j))

    yield full_rows(np.unique(np.append(rng.integers(p.m, size=FULL_ROWS), p.m - 1)))
    last = p.n - 1
    column = _times(A, B[:, last:])[:, 0]
    yield Comparison("C", C[:, last], column, dot_bound(p.dtype, lengths, heights[last]), index=lambda i: (i, last))
    signs = rng.choice(np.array([-1.0, 1.0]), size=(p.n, SIGN_VECTORS))
    yield Comparison(
        "C",
        _times(C, signs),
        _times(A, _times(B, signs)),
        dot_bound(p.dtype, lengths, np.linalg.norm(heights))[:, None],
        index=lambda i, _: (i,),
        locate=lambda i, _: full_rows(np.array([i])),
        what="the row's sum under random signs is off",
    )


def blas(_p):
    """C = A·B by np.matmul."""

    def run(C, A, B):
        np.matmul(A, B, out=C)

    return run


def _blocks(matrix):
    for start in range(0, len(matrix), ROWS_AT_A_TIME):
        part = slice(start, start + ROWS_AT_A_TIME)
        yield part, matrix[part].astype(np.float64)


def _norms(matrix, axis):
    """Euclidean norms of the rows (axis 1) or columns (axis 0), in float64."""
    squares = [np.sum(np.square(block), axis=axis) for _, block in _blocks(matrix)]
    return np.sqrt(np.concatenate(squares) if axis == 1 else np.sum(squares, axis=0))


def _times(left, right):
    """``left @ right`` in float64, a block of rows at a time of whichever is the larger."""
    if left.size >= right.size:
        right = right.astype(np.float64)
        return np.concatenate([block @ right for _, block in _blocks(left)])
    left = left.astype(np.float64)
    return sum(left[:, part] @ block for part, block in _blocks(right))
