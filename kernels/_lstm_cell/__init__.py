"""lstm_cell: both states of one LSTM step from the sums of its gates, the part of `lstm` that multiplies no matrices.

It is no kernel of the list: it lets ``gpuplay peers cuda`` hold this part by itself against PyTorch's cell.
What each has to read is what its matrix products leave it. Ours add up the inputs' and the states' products and
the biases, so that ``sums`` are complete: 7 floats an element are moved. PyTorch's cell reads both products
apart and keeps the gates for a backward pass: 15.

numpy:ufuncs    a pass over memory for each operation
torch_gpu:cell  PyTorch's fused cell, a peer
cuda:pointwise  the GPU function of the variant of this name of `lstm`
"""

from gpuplay.kernel import Array, Cost, Kernel, Param, Variant

from ..lstm.cuda import THREADS, fits_block

FLOATS = {"ours": 7, "torch": 15}  # an element: 4 sums, c0, h, c; or 2·4 products, c0, h, c, 4 gates
OPERATIONS = 18  # an element: three sigmoids of 4, two tanh, three products, a sum


def arrays(p):
    """States (batch, n), h with a leading axis of one step; gates i, f, g, o side by side in the products."""
    products = (p.batch, 4 * p.n)
    return (
        Array("h", (1, p.batch, p.n), "out"),
        Array("c", (p.batch, p.n), "out"),
        Array("sums", (4, p.batch, p.n)),
        Array("x_products", products),
        Array("h_products", products),
        Array("c0", (p.batch, p.n)),
        Array("b_ih", (4 * p.n,)),
        Array("b_hh", (4 * p.n,)),
    )


def cost(p):
    """What the work takes where the sums are complete."""
    return Cost(float(OPERATIONS * p.batch * p.n), float(FLOATS["ours"] * p.batch * p.n * p.itemsize))


def torch_work(p, _knobs):
    """Two products in the place of one sum, and the gates that are kept."""
    return Cost(float(OPERATIONS * p.batch * p.n), float(FLOATS["torch"] * p.batch * p.n * p.itemsize))


KERNEL = Kernel(
    name="lstm_cell",
    summary="both states of an LSTM step from the sums of its gates",
    size="256..1024",
    size_help="hidden units",
    params=(Param("batch", "sequences side by side", 256),),
    arrays=arrays,
    inputs="problem:inputs",
    reference="problem:reference",
    reduction=lambda _p: 4,
    cost=cost,
    check_at={"batch": 5},
    variants=(
        Variant("numpy:ufuncs", "library", "a pass over memory for each operation", "problem:ufuncs", library="NumPy"),
        Variant(
            "torch_gpu:cell",
            "library",
            "PyTorch's fused cell, which keeps the gates for a backward pass",
            "torch_gpu:cell",
            work=torch_work,
            library="PyTorch",
        ),
        Variant(
            "cuda:pointwise",
            "SIMT",
            "one launch: the gates go from their sums to both states in registers",
            "cuda:pointwise",
            knobs={"block": THREADS},
            applies=fits_block,
        ),
    ),
)
