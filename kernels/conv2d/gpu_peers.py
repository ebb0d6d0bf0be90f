"""conv2d's peers on a GPU, declared: cuDNN in float32 and in TF32, each by the algorithm that it finds fastest."""

from gpuplay.kernel import Variant

from .._shared import limits


def float32_only(p, _knobs, _machine):
    """Other types have no shorter form of this name."""
    return limits.float32_only(p)


VARIANTS = (
    Variant(
        "torch_gpu:conv2d",
        "library",
        "cuDNN through PyTorch, by the algorithm that is fastest for the shape",
        "torch:conv2d",
        library="PyTorch, cuDNN, TF32 off",
    ),
    Variant(
        "torch_gpu:conv2d_tf32",
        "library",
        "cuDNN through PyTorch, factors rounded to TF32",
        "torch_gpu:conv2d_tf32",
        applies=float32_only,
        library="PyTorch, cuDNN, TF32",
        compute="tfloat32",
        accumulate="float32",
    ),
)
