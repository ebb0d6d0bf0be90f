"""The promises for the CPU: float32, all cores, medians of one interleaved run a row."""

from __future__ import annotations

from gpuplay.peers.terms import Mean, OfRoof, OfYardstick, Promise, Scaling, Worst, case

WHOLE = 2**26
COPY = (("function", "identity"),)


def _activation(function: str, of_copy: float) -> Promise:
    """Faster than any library at every size; in memory, faster than a library moves the same array at all."""
    return Promise(
        name=f"activation:{function}",
        kernel="activation",
        params=(("function", function),),
        cases=(case(2**12), case(2**16), case(2**20, quick=True), case(2**24), case(WHOLE)),
        needs=(Worst(1.0), OfYardstick(of_copy, WHOLE, "torch:map", COPY, "torch's copy")),
    )


MATMUL = (
    Promise(
        name="matmul:square",
        kernel="matmul",
        cases=(
            *(case(64), case(128), case(256, quick=True), case(512)),
            *(case(1024, quick=True), case(2048), case(4096)),
        ),
        needs=(
            Mean(1.05),
            Worst(0.95, smallest=256),
            Worst(0.80, largest=255),
            OfRoof(0.88, "fma_float32", smallest=1024),
        ),
    ),
    Promise(
        name="matmul:shapes",
        kernel="matmul",
        cases=(
            case(1000, "1000×1000×1000", m=1000, k=1000, quick=True),
            case(64, "4096×64×4096", m=4096, k=4096),
            case(4096, "64×4096×4096", m=64, k=4096),
            case(129, "127×129×131", m=127, k=131, quick=True),
            case(2048, "2048×2048×32", m=2048, k=32),
        ),
        needs=(Mean(1.0), Worst(0.85)),
    ),
)
ACTIVATION = (
    *(_activation(function, 1.2) for function in ("relu", "sigmoid", "tanh")),
    _activation("gelu", 1.0),
    _activation("silu", 1.2),
    _activation("softplus", 1.0),
)
DENSE = (
    Promise(
        name="dense:vector",
        kernel="dense",
        params=(("batch", 1),),
        cases=(case(512), case(2048, quick=True), case(8192)),
        needs=(Mean(1.0), OfRoof(0.90, "read", smallest=8192)),
    ),
    Promise(
        name="dense:batch",
        kernel="dense",
        params=(("batch", 64),),
        cases=(case(512), case(1024, quick=True), case(4096)),
        needs=(Mean(1.05),),
    ),
)
CONV2D = (
    Promise(
        name="conv2d:3x3",
        kernel="conv2d",
        cases=(
            case(56, "N8 C64 H56 K64", batch=8, channels=64, filters=64),
            case(28, "N8 C128 H28 K128", batch=8, channels=128, filters=128, quick=True),
            case(14, "N8 C256 H14 K256", batch=8, channels=256, filters=256, quick=True),
            case(7, "N8 C512 H7 K512", batch=8, channels=512, filters=512),
            case(112, "N4 C64 H112 K64", batch=4, channels=64, filters=64),
        ),
        needs=(Mean(1.15), Worst(1.0), Worst(0.95, ours=("cpu:parallel",))),
    ),
    Promise(
        name="conv2d:others",
        kernel="conv2d",
        cases=(
            case(224, "7×7 /2 N8 C3 H224 K64", batch=8, channels=3, filters=64, kernel_size=7, stride=2, padding=3),
            case(56, "1×1 N8 C64 H56 K256", batch=8, channels=64, filters=256, kernel_size=1, padding=0, quick=True),
            case(14, "1×1 N8 C256 H14 K1024", batch=8, channels=256, filters=1024, kernel_size=1, padding=0),
            case(28, "5×5 N8 C32 H28 K64", batch=8, channels=32, filters=64, kernel_size=5, padding=2, quick=True),
            case(56, "3×3 /2 N8 C64 H56 K128", batch=8, channels=64, filters=128, stride=2, padding=1),
        ),
        needs=(Mean(1.05), Worst(0.9)),
    ),
)
LSTM = (
    Promise(
        name="lstm",
        kernel="lstm",
        cases=(
            case(128, "1×128, 64 steps", batch=1, steps=64),
            case(128, "64×128, 32 steps", batch=64, steps=32, quick=True),
            case(512, "64×512, 32 steps", batch=64, steps=32, quick=True),
            case(1024, "64×1024, 32 steps", batch=64, steps=32),
            case(1024, "256×1024, 8 steps", batch=256, steps=8),
        ),
        needs=(Mean(1.1), Worst(1.0)),
    ),
)
SCALING = tuple(
    Promise(name=f"scaling:{kernel}", kernel=kernel, cases=(one,), needs=(Scaling(1.85, 2),), peers=(), threads=(1, 2))
    for kernel, one in (
        ("matmul", case(2048, quick=True)),
        ("conv2d", case(28, "N8 C128 H28 K128", batch=8, channels=128, filters=128, quick=True)),
        ("lstm", case(512, "64×512, 32 steps", batch=64, steps=32, quick=True)),
    )
)
ROWS = (*MATMUL, *ACTIVATION, *DENSE, *CONV2D, *LSTM, *SCALING)
