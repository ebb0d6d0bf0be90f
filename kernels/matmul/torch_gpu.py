"""matmul by PyTorch on a GPU in fewer bits than float32: peers of the rungs that use the matrix units."""

import torch

from .._shared.torch_gpu import tensor_float32


def mm_tf32(_p):
    """C = A·B into the given C, factors rounded to TF32 by cuBLAS."""

    def run(C, A, B):
        with tensor_float32():
            torch.mm(A, B, out=C)

    return run


def mm_bf16(_p):
    """C = A·B of bfloat16 factors, sums and results in float32, as the rungs beside it have them."""

    def run(C, A, B):
        torch.mm(A, B, out_dtype=torch.float32, out=C)

    return run
