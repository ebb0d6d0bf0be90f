"""What the peers through PyTorch on a GPU share: products in TF32 for those rows alone that say so."""

from contextlib import contextmanager

import torch


@contextmanager
def tensor_float32():
    """Let cuBLAS and cuDNN round float32 factors to TF32 while a block runs; at all other times they may not."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
