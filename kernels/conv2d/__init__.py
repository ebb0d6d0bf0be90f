"""conv2d: every output pixel is the product of a patch of the image with a filter, as layers of vision networks do.

Each variant is declared below with its idea, in the order in which the ladder is climbed. `cpu` has the rungs on the
CPU, on the products of `implicit` and `fewer_products`; the ladder on a GPU, up to matrix units and Winograd, is in
`cuda`; what it is compared with is in `problem`, `torch` and `gpu_peers`.
"""

from gpuplay.kernel import Array, Cost, Kernel, Param, Probe, Variant

from . import cuda, gpu_peers, layout
from .layout import KNOBS, taps


def _side(p):
    return max(0, layout.out_side(p.n, p.kernel_size, p.stride, p.padding))


def arrays(p):
    """Y (batch, filters, side, side), X (batch, channels, n, n), W (filters, channels, kernel_size, kernel_size)."""
    side = _side(p)
    return (
        Array("Y", (p.batch, p.filters, side, side), "out"),
        Array("X", (p.batch, p.channels, p.n, p.n)),
        Array("W", (p.filters, p.channels, p.kernel_size, p.kernel_size), "weight"),
    )


def cost(p):
    """A multiplication and an addition a tap, for the padding too; every array moved once."""
    outputs = p.batch * p.filters * _side(p) ** 2
    elements = outputs + p.batch * p.channels * p.n**2 + p.filters * taps(p)
    return Cost(2.0 * outputs * taps(p), float(p.itemsize * elements))


def fits(p):
    """The kernel must find room in the padded image."""
    padded = p.n + 2 * p.padding
    if p.kernel_size > padded:
        return f"kernel_size {p.kernel_size} is larger than the padded image, n + 2·padding = {padded}"
    return None


def im2col_workspace(p, _knobs):
    """One padded image, and its patches as columns."""
    padded = p.n + 2 * p.padding
    return Array("padded", (p.channels, padded, padded)), Array("columns", (taps(p), _side(p) ** 2))


def im2col_work(p, _knobs):
    """The columns are written and read once more."""
    plain = cost(p)
    return Cost(plain.flops, plain.bytes + 2.0 * p.batch * taps(p) * _side(p) ** 2 * p.itemsize)


def implicit_work(p, _knobs):
    """The padded images are written and read once more."""
    plain = cost(p)
    return Cost(plain.flops, plain.bytes + 2.0 * layout.padded_elements(p) * p.itemsize)


def three_by_three(p, _knobs, _machine):
    """Winograd's transforms are made for one size of filters, and for tiles that overlap."""
    return layout.beyond_winograd(p)


def winograd_work(p, knobs):
    """36 products a tile, and the transforms' additions and multiplications; padded images, filters and products."""
    flops = layout.winograd_flops(p) + float(layout.FILTER_FLOPS * p.filters * p.channels)
    padded, _, transformed, _, _ = layout.winograd_workspace(p, knobs)
    return Cost(flops, cost(p).bytes + 2.0 * (padded.nbytes(p.dtype) + transformed.nbytes(p.dtype)))


KERNEL = Kernel(
    name="conv2d",
    summary="Y = X ∗ W, 2-D convolution of a batch of images (NCHW) with a bank of filters",
    size="14..112",
    size_help="rows and columns of an input image",
    params=(
        Param("batch", "images", 8),
        Param("channels", "channels of an input image", 32),
        Param("filters", "filters, the channels of an output image", 32),
        Param("kernel_size", "rows and columns of a filter", 3),
        Param("stride", "step from patch to patch", 1),
        Param("padding", "rows and columns of zeros around an image", 1, low=0),
    ),
    arrays=arrays,
    cost=cost,
    applies=fits,
    inputs="problem:inputs",
    reference="problem:reference",
    check="problem:check",
    tolerance="problem:tolerance",
    reduction=taps,
    probes=(Probe("small integers", "problem:integers", exact=True),),
    variants=(
        Variant(
            "numpy:im2col",
            "library",
            "copies patches to columns, then one BLAS product an image",
            "problem:im2col",
            workspace=im2col_workspace,
            work=im2col_work,
            library="im2col, BLAS",
        ),
        Variant(
            "torch:conv2d",
            "library",
            "the algorithm that PyTorch's library picks for the shape",
            "torch:conv2d",
            library="torch:library",
        ),
        *gpu_peers.VARIANTS,
        Variant("python:loop", "SISD", "seven interpreted loops over nested lists", "cpu:loop"),
        Variant("cpu:naive", "SISD", "seven compiled loops; one long sum an output, edges asked about", "cpu:naive"),
        Variant(
            "cpu:scalar",
            "SISD",
            "a product of filters and patches: tiles stay in registers, patches are packed block by block",
            "cpu:simd",
            improves_on="cpu:naive",
            workspace=layout.implicit_workspace,
            work=implicit_work,
        ),
        Variant(
            "cpu:simd",
            "SIMD",
            "the same source: one instruction multiplies a weight by a whole vector of pixels",
            "cpu:simd",
            improves_on="cpu:scalar",
            knobs=KNOBS,
            workspace=layout.implicit_workspace,
            work=implicit_work,
        ),
        Variant(
            "cpu:parallel",
            "MIMD",
            "the same source: every core computes a rectangle of filters and pixels",
            "cpu:parallel",
            improves_on="cpu:simd",
            knobs=KNOBS,
            workspace=layout.implicit_workspace,
            work=implicit_work,
        ),
        Variant(
            "cpu:winograd",
            "MIMD",
            "other arithmetic for 3×3 filters: 36 products in the place of 144 make 16 pixels",
            "cpu:winograd",
            improves_on="cpu:parallel",
            knobs=layout.WINOGRAD_KNOBS,
            applies=three_by_three,
            error_growth=layout.ERROR_GROWTH,
            workspace=layout.winograd_workspace,
            work=winograd_work,
        ),
        *cuda.VARIANTS,
    ),
    story=("numpy:im2col", "cpu:scalar", "cpu:simd", "cpu:parallel", "cuda:pipelined"),
    check_at={"batch": 2, "channels": 5, "filters": 7},
    odd_shapes=(
        {"stride": 2, "padding": 0, "batch": 1, "channels": 3, "filters": 5},
        {"stride": 3, "kernel_size": 2, "batch": 2, "channels": 5, "filters": 2},
        {"kernel_size": 5, "padding": 2, "batch": 2, "channels": 2, "filters": 7},
        {"kernel_size": 1, "padding": 0, "batch": 3, "channels": 9, "filters": 1},
        {"padding": 2, "batch": 1, "channels": 6, "filters": 9},
    ),
)
