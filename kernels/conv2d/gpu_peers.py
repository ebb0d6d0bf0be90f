"""conv2d's peers on a GPU, declared: cuDNN in float32 and in TF32, each by the algorithm that it finds fastest."""

from gpuplay.kernel import Variant

from .._shared import limits

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
        applies=limits.matrix_units,
        library="PyTorch, cuDNN, TF32",
        compute="tfloat32",
        accumulate="float32",
    ),
)
