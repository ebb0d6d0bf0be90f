"""How cpu:simd and cpu:parallel lay out a padded image, in plain integers.

Declarations read this file for the sizes of workspaces, and `cpu` compiles the same functions, so
that both always agree. The terms are explained in `cpu`.
"""

LANES = 16
FILTERS = 4
TAPS = 4
MOST_WORKERS = 256
STRIP = 1024


def out_side(n, kernel_size, stride, padding):
    """Rows and columns of an output image."""
    return (n + 2 * padding - kernel_size) // stride + 1


def phase_side(n, stride, padding):
    """Rows and columns of one phase plane: every stride-th row and column of the padded image."""
    return (n + 2 * padding + stride - 1) // stride


def image_elements(side, channels, stride):
    """Elements of all phase planes, each side×side, of one image."""
    return channels * stride * stride * side * side


def padded_elements(n, batch, channels, stride, padding):
    """Elements of all images, and as many after them as the last vectors may read beyond the end."""
    side = phase_side(n, stride, padding)
    return batch * image_elements(side, channels, stride) + side + LANES


def strip_rows(side, rows, strip):
    """Output rows of a strip of about ``strip`` pixels, where adjacent rows lie ``side`` apart."""
    return max(1, min(rows, strip // side))


def strip_width(side, rows):
    """Pixels of a strip of this many rows, rounded up to whole vectors."""
    return (rows * side + LANES - 1) // LANES * LANES
