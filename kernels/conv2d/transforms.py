"""The transforms of Winograd's F(4×4, 3×3): 4×4 outputs of a 3×3 filter by 36 products instead of 144.

    Y = Aᵀ·((G·g·Gᵀ) ⊙ (Bᵀ·d·B))·A

with a filter g (3×3), a tile of the image d (6×6), and products element by element, from the points
0, ±1, ±2 and infinity (Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016).
Both sides of a matrix are the same six or four lines of arithmetic: first down all columns, then along
all rows. They work on vectors of tiles, or of channels: on vectors and numbers alike.
"""

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.host.internal import inlined, internal

from .layout import OUT, TAP, TILE


@inlined
def _image(d0, d1, d2, d3, d4, d5):
    """Bᵀ·d of one column."""
    even, odd = d4 - d2 * 4, d3 - d1 * 4
    near, far = d4 - d2, (d3 - d1) * 2
    return d0 * 4 - d2 * 5 + d4, even + odd, even - odd, near + far, near - far, d1 * 4 - d3 * 5 + d5


@inlined
def _filter(like, g0, g1, g2):
    """G·g of one column; ``like`` is a vector of the dtype of the fractions."""
    sixth, small = simd.broadcast(like, -1.0 / 6), simd.broadcast(like, 1.0 / 24)
    ends, wide = (g0 + g2) * sixth, (g0 + g2 * 4) * small
    middle, half = g1 * sixth, (g1 + g1) * small
    return g0 * 0.25, ends + middle, ends - middle, wide + half, wide - half, g2


@inlined
def _outputs(m0, m1, m2, m3, m4, m5):
    """Aᵀ·m of one column."""
    near, far, plus, twice = m1 - m2, m3 - m4, m1 + m2, m3 + m4
    return m0 + plus + twice, near + far * 2, plus + twice * 4, near + far * 8 + m5


@internal
def transform_image(V, v, v_step, P, p, step):
    """Bᵀ·d·B for a vector of tiles: element e of 36 from ``P[p + e·step]``, in place; then to ``V[v + e·v_step]``."""
    for b in range(TILE):
        q, down = p + b * step, TILE * step
        d0, d1, d2 = simd.load(P, q), simd.load(P, q + down), simd.load(P, q + 2 * down)
        d3, d4, d5 = simd.load(P, q + 3 * down), simd.load(P, q + 4 * down), simd.load(P, q + 5 * down)
        d0, d1, d2, d3, d4, d5 = _image(d0, d1, d2, d3, d4, d5)
        simd.store(P, q, d0)
        simd.store(P, q + down, d1)
        simd.store(P, q + 2 * down, d2)
        simd.store(P, q + 3 * down, d3)
        simd.store(P, q + 4 * down, d4)
        simd.store(P, q + 5 * down, d5)
    for a in range(TILE):
        q, to = p + a * TILE * step, v + a * TILE * v_step
        d0, d1, d2 = simd.load(P, q), simd.load(P, q + step), simd.load(P, q + 2 * step)
        d3, d4, d5 = simd.load(P, q + 3 * step), simd.load(P, q + 4 * step), simd.load(P, q + 5 * step)
        d0, d1, d2, d3, d4, d5 = _image(d0, d1, d2, d3, d4, d5)
        simd.store(V, to, d0)
        simd.store(V, to + v_step, d1)
        simd.store(V, to + 2 * v_step, d2)
        simd.store(V, to + 3 * v_step, d3)
        simd.store(V, to + 4 * v_step, d4)
        simd.store(V, to + 5 * v_step, d5)


@internal
def transform_filter(U, u, u_step, count, G, g, step):
    """G·g·Gᵀ for a vector of channels, ``count`` of them: tap t from ``G[g + t·step]`` to ``U[u + e·u_step]``.

    ``G`` has room for six by three vectors after its nine.
    """
    half = g + TAP * TAP * step
    for b in range(TAP):
        g0, g1 = simd.load(G, g + b * step), simd.load(G, g + (TAP + b) * step)
        g2 = simd.load(G, g + (2 * TAP + b) * step)
        g0, g1, g2, g3, g4, g5 = _filter(g0, g0, g1, g2)
        simd.store(G, half + b * step, g0)
        simd.store(G, half + (TAP + b) * step, g1)
        simd.store(G, half + (2 * TAP + b) * step, g2)
        simd.store(G, half + (3 * TAP + b) * step, g3)
        simd.store(G, half + (4 * TAP + b) * step, g4)
        simd.store(G, half + (5 * TAP + b) * step, g5)
    for a in range(TILE):
        q, to = half + a * TAP * step, u + a * TILE * u_step
        g0, g1, g2 = simd.load(G, q), simd.load(G, q + step), simd.load(G, q + 2 * step)
        g0, g1, g2, g3, g4, g5 = _filter(g0, g0, g1, g2)
        simd.store_first(U, to, g0, count)
        simd.store_first(U, to + u_step, g1, count)
        simd.store_first(U, to + 2 * u_step, g2, count)
        simd.store_first(U, to + 3 * u_step, g3, count)
        simd.store_first(U, to + 4 * u_step, g4, count)
        simd.store_first(U, to + 5 * u_step, g5, count)


@internal
def transform_outputs(Y, o, step, M, m, m_step):
    """Aᵀ·m·A for a vector of tiles: element e of 36 from ``M[m + e·m_step]``, pixel (i, j) to ``Y[o + (4i + j)·step]``.

    ``Y`` has room for four by six vectors.
    """
    for b in range(TILE):
        q, down = m + b * m_step, TILE * m_step
        m0, m1, m2 = simd.load(M, q), simd.load(M, q + down), simd.load(M, q + 2 * down)
        m3, m4, m5 = simd.load(M, q + 3 * down), simd.load(M, q + 4 * down), simd.load(M, q + 5 * down)
        y0, y1, y2, y3 = _outputs(m0, m1, m2, m3, m4, m5)
        simd.store(Y, o + b * step, y0)
        simd.store(Y, o + (TILE + b) * step, y1)
        simd.store(Y, o + (2 * TILE + b) * step, y2)
        simd.store(Y, o + (3 * TILE + b) * step, y3)
    for i in range(OUT):
        q, to = o + i * TILE * step, o + i * OUT * step
        m0, m1, m2 = simd.load(Y, q), simd.load(Y, q + step), simd.load(Y, q + 2 * step)
        m3, m4, m5 = simd.load(Y, q + 3 * step), simd.load(Y, q + 4 * step), simd.load(Y, q + 5 * step)
        y0, y1, y2, y3 = _outputs(m0, m1, m2, m3, m4, m5)
        simd.store(Y, to, y0)
        simd.store(Y, to + step, y1)
        simd.store(Y, to + 2 * step, y2)
        simd.store(Y, to + 3 * step, y3)
