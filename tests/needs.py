"""What some tests need that is not installed everywhere."""

from __future__ import annotations

import importlib.metadata

import pytest

from gpuplay.commands.steps import inspecting


def numba_cuda_missing() -> bool:
    """Whether this is a base install, which types CUDA variants and does not compile them."""
    try:
        importlib.metadata.version("numba-cuda")
    except importlib.metadata.PackageNotFoundError:
        return True
    return False


compiles = pytest.mark.skipif(numba_cuda_missing(), reason="numba-cuda is not installed; pip install 'gpuplay[cuda]'")
needs_assembler = pytest.mark.skipif(
    bool(inspecting.missing(assemble=True)), reason=f"not here: {inspecting.missing(assemble=True)}"
)
