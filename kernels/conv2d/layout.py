"""How the convolutions of the CPU lay out images and cut their work, in plain integers.

Declarations read this file for the sizes of workspaces, and compiled code uses the same functions, so
that both always agree. The terms are explained in `padding`, `patches` and `implicit`.
"""

from gpuplay.kernel import Array, Knob

from .._shared import blocking
from .._shared.blocking import MOST_LANES, round_up

COPY = 3  # whole numbers that describe a copied vector: from where, to where, how many elements

ROWS, VECTORS, BLOCK_N, BLOCK_K = 6, 2, 480, 576
BLOCK_NS = (120, 240, 480)


def tile_rows(machine):
    """Numbers of filters are multiples of eight: eight rows leave none over, where registers are 32."""
    return 8 if machine.vector_bits == 512 else ROWS


def tile_vectors(machine):
    """Twelve or 24 sums, with the vectors of pixels and a weight, in 16 or 32 registers."""
    return 3 if machine.vector_bits == 512 else VECTORS


def block_n(machine):
    """As many pixels as fill five eighths of the second cache, so that filters and Y have room beside them."""
    columns = machine.l2_bytes * 5 // 8 // (4 * BLOCK_K)
    return max(value for value in BLOCK_NS if value <= max(columns, BLOCK_NS[0]))


KNOBS = {
    "tile_rows": Knob((6, 8), default=ROWS, help="filters of the tile of Y summed up in registers", choose=tile_rows),
    "tile_vectors": Knob((2, 3), default=VECTORS, help="vectors of pixels of that tile", choose=tile_vectors),
    "block_n": Knob(BLOCK_NS, default=BLOCK_N, help="pixels whose patches are packed at a time", choose=block_n),
    "block_k": Knob((384, 576), default=BLOCK_K, help="taps of these patches packed at a time"),
}
DEFAULTS = {name: knob.default for name, knob in KNOBS.items()}


def out_side(n, kernel_size, stride, padding):
    """Rows and columns of an output image."""
    return (n + 2 * padding - kernel_size) // stride + 1


def phase_side(n, stride, padding):
    """Rows and columns of one phase plane: every stride-th row and column of the padded image."""
    return (n + 2 * padding + stride - 1) // stride


def image_elements(side, channels, stride):
    """Elements of all phase planes, each side×side, of one image."""
    return channels * stride * stride * side * side


def reads_in_place(p):
    """Whether X itself is a padded image: there is nothing around it, and no row or column to leave out.

    A vector may then read on into the next channel, so one must be as long.
    """
    return p.stride == 1 and p.padding == 0 and p.n * p.n >= MOST_LANES


def taps(p):
    """Products that make an output: the length of its sum."""
    return p.channels * p.kernel_size**2


def pixels(p):
    """Pixels of all output images."""
    return p.batch * max(0, out_side(p.n, p.kernel_size, p.stride, p.padding)) ** 2


def padded_elements(p):
    """Elements of all padded images, none where X is read in place, and as many as the last vector reads beyond."""
    if reads_in_place(p):
        return 0
    return p.batch * image_elements(phase_side(p.n, p.stride, p.padding), p.channels, p.stride) + MOST_LANES


def room_elements(p, knobs):
    """Elements that a worker needs: the blocks of W and of patches of `blocking`, and a tile that two images share."""
    rows, tile = knobs["tile_rows"], knobs["tile_rows"] * knobs["tile_vectors"] * MOST_LANES
    return blocking.room_elements(pixels(p), rows, knobs["block_n"], knobs["block_k"]) + tile + MOST_LANES


def implicit_workspace(p, knobs):
    """Padded images and offsets of the taps for all; a list of copies and a room for each worker."""
    knobs = DEFAULTS | knobs
    columns = pixels(p)
    workers = blocking.workers_for(p.filters * taps(p) * columns, knobs.get("threads", 1))
    copies = min(knobs["block_n"], round_up(columns, MOST_LANES))
    return (
        Array("padded", (padded_elements(p),)),
        Array("offsets", (taps(p),), dtype="int64"),
        Array("copies", (workers, COPY * copies), dtype="int64"),
        Array("rooms", (workers, room_elements(p, knobs))),
    )


# ---- cpu:winograd ----

TILE, OUT, TAP = 6, 4, 3  # sides of a tile of the image, of its outputs, and of a filter
PRODUCTS = TILE * TILE
# The largest Σⱼ Aᵢⱼ²·‖Gⱼ‖²·‖Bⱼ‖² over the rows i of Aᵀ: element j of 6 is formed of a filter and of a tile with
# the gains ‖Gⱼ‖ and ‖Bⱼ‖ of its rows of G and Bᵀ, and enters output i times Aᵢⱼ. Roundings are independent, so
# their squares add up, to the gain √94.3 on one side of a tile, and to 94.3 on both.
ERROR_GROWTH = 94.4
# Operations of the transforms of `transforms`: so many a column, for the columns and rows of both sides.
IMAGE_FLOPS = 12 * 19
FILTER_FLOPS = 9 * 14
OUTPUT_FLOPS = 10 * 14
MOST_FILTERS = 64  # filters whose products are kept until they are transformed back
TILES = Knob((48, 96), default=48, help="tiles that are transformed and multiplied at a time")
WINOGRAD_KNOBS = {"tile_rows": KNOBS["tile_rows"], "tile_vectors": KNOBS["tile_vectors"], "tiles": TILES}


def tiles_across(out):
    """Tiles that cover a row of output pixels."""
    return (out + OUT - 1) // OUT


def tiles_of(p):
    """Tiles of all output images."""
    return p.batch * tiles_across(max(0, out_side(p.n, p.kernel_size, p.stride, p.padding))) ** 2


def beyond_winograd(p):
    """Why Winograd's transforms do not serve these filters; None where they do."""
    if p.kernel_size != TAP:
        return f"kernel_size {p.kernel_size}: its transforms are those of 3×3 filters"
    if p.padding >= TAP:
        return (
            f"padding {p.padding}: a patch of zeros alone has an output of 0, its sums of rounded terms are only near"
        )
    return f"stride {p.stride}: its transforms are those of stride 1" if p.stride != 1 else None


def winograd_flops(p):
    """Operations of the products, 36 a tile, and of the transforms of images and outputs."""
    tiles = tiles_of(p)
    products = 2.0 * PRODUCTS * tiles * p.filters * p.channels
    return products + float(IMAGE_FLOPS * tiles * p.channels + OUTPUT_FLOPS * tiles * p.filters)


def filters_at_a_time(filters, rows):
    """Filters of a block: whole tiles of products, where there are so many."""
    return min((filters + rows - 1) // rows, MOST_FILTERS // rows) * rows


def winograd_room(channels, block, columns):
    """Where the products, the copied tiles and vectors under way begin in a room of ``block`` filters, and its end."""
    products = PRODUCTS * channels * columns
    patches = products + PRODUCTS * block * columns
    vectors = patches + PRODUCTS * columns + MOST_LANES
    return products, patches, vectors, vectors + 2 * PRODUCTS * MOST_LANES


def winograd_workspace(p, knobs):
    """Padded images, offsets and transformed filters for all; a list of copies and a room for each worker."""
    knobs = {name: knob.default for name, knob in WINOGRAD_KNOBS.items()} | knobs
    tiles, rows, side = tiles_of(p), knobs["tile_rows"], tiles_across(out_side(p.n, TAP, 1, p.padding)) + 1
    workers = blocking.workers_for(PRODUCTS * p.filters * p.channels * tiles, knobs.get("threads", 1))
    columns, block = min(knobs["tiles"], round_up(tiles, MOST_LANES)), filters_at_a_time(p.filters, rows)
    return (
        Array("padded", (p.batch * image_elements(side, p.channels, OUT) + MOST_LANES,)),
        Array("offsets", (PRODUCTS * p.channels,), dtype="int64"),
        Array("transformed", ((PRODUCTS * p.filters + rows) * p.channels,)),
        Array("copies", (workers, COPY * columns), dtype="int64"),
        Array("rooms", (workers, winograd_room(p.channels, block, columns)[-1])),
    )
