"""Patches of images, packed block by block into the panels of a matrix product that never exists as a whole.

In the product Y = W·P every row of P is a tap and every column an output pixel, counted through all
images. A row of P is pieces of rows of padded images, all shifted by the same offset. So a list of
vectors to copy, made once for a block of pixels, serves all of its taps.
"""

from typing import Any, NamedTuple

from gpuplay.intrinsics import simd
from gpuplay.intrinsics.host.internal import internal

from .._shared.packing import panel_width, tile_columns
from . import layout

COPY = layout.COPY


class Images(NamedTuple):
    """What the columns of P are made of: padded images, one after the other, and where in one each tap is read."""

    source: Any  # flat
    offsets: Any  # of the taps, from where a pixel's first tap stands
    out: int  # rows and columns of an output image
    side: int  # columns of a padded image
    elements: int  # of a padded image
    masked: int  # the first tap of which a whole vector might leave the source


@internal
def list_copies(copies, images, first, columns, shape):
    """List the vectors that make ``columns`` columns of P from pixel ``first`` on; return how many they are.

    Each is (where its first pixel's tap of offset 0 stands in the source, its column, its pixels). A vector
    ends with its row of an image, and with its panel.
    """
    source, _, out, side, elements, _ = images
    lanes, wide = simd.lanes(source), tile_columns(source, shape)
    count, column = 0, 0
    while column < columns:
        pixel = first + column
        b, y, x = pixel // (out * out), pixel // out % out, pixel % out
        run = min(out - x, columns - column, wide - column % wide)
        at = b * elements + y * side + x
        for v in range(0, run, lanes):
            copies[count] = at + v
            copies[count + 1] = column + v
            copies[count + 2] = min(lanes, run - v)
            count += COPY
        column += run
    return count // COPY


@internal
def pack_patches(P, p, images, copies, count, top, depth, columns, shape):
    """Pack ``depth`` taps from tap ``top`` on of the listed pixels into panels, one after the other, at ``P[p]``.

    Copies of whole vectors run over the ends of their pieces, into what the next copy writes.
    """
    source, offsets, _, _, _, masked = images
    wide = tile_columns(P, shape)
    begin = 0
    for left in range(0, columns, wide):
        right = min(columns, left + wide)
        width = panel_width(P, right - left, shape)
        end = begin
        while end < count and copies[COPY * end + 1] < right:
            end += 1
        at = p + left * depth - left
        for k in range(min(depth, max(0, masked - top))):
            offset, row = offsets[top + k], at + k * width
            for copy in range(COPY * begin, COPY * end, COPY):
                simd.store(P, row + copies[copy + 1], simd.load(source, offset + copies[copy]))
        for k in range(max(0, min(depth, masked - top)), depth):
            offset, row = offsets[top + k], at + k * width
            for copy in range(COPY * begin, COPY * end, COPY):
                pixels = simd.load_first(source, offset + copies[copy], copies[copy + 2])
                simd.store(P, row + copies[copy + 1], pixels)
        begin = end
