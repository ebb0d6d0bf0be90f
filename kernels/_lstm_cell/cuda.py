"""lstm_cell on a GPU: the launch that `lstm`'s variant cuda:pointwise makes after the sums of a step."""

from ..lstm.cuda import geometry
from ..lstm.cuda.pointwise import update


def pointwise(p, block):
    """Both states of step 0, a thread a unit."""
    grid, threads = geometry(p, block)

    def run(gpu, h, c, sums, _x_products, _h_products, c0, _b_ih, _b_hh):
        gpu.launch(update, grid, threads, h, c, c0, sums, 0)

    return run
