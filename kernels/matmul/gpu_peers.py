"""matmul's peers on a GPU, declared: cuBLAS in each precision that one of our rungs computes in.

torch_gpu:mm        float32 all the way
torch_gpu:mm_tf32   factors rounded to TF32
torch_gpu:mm_bf16   factors stored as bfloat16
cupy:matmul         float32, through CuPy
"""

from gpuplay.kernel import Variant

from .._shared import limits

VARIANTS = (
    Variant(
        "torch_gpu:mm",
        "library",
        "cuBLAS through PyTorch, into a given C",
        "torch:mm",
        library="PyTorch, cuBLAS, TF32 off",
    ),
    Variant(
        "torch_gpu:mm_tf32",
        "library",
        "cuBLAS through PyTorch, factors rounded to TF32",
        "torch_gpu:mm_tf32",
        applies=limits.matrix_units,
        library="PyTorch, cuBLAS, TF32",
        compute="tfloat32",
        accumulate="float32",
    ),
    Variant(
        "torch_gpu:mm_bf16",
        "library",
        "cuBLAS through PyTorch, factors stored as bfloat16, sums and results in float32",
        "torch_gpu:mm_bf16",
        applies=limits.matrix_units,
        library="PyTorch, cuBLAS, bfloat16",
        storage="bfloat16",
        compute="bfloat16",
        accumulate="float32",
    ),
    Variant(
        "cupy:matmul",
        "library",
        "cuBLAS through CuPy, into a given C",
        "cupy:matmul",
        library="CuPy, cuBLAS, TF32 off",
    ),
)
