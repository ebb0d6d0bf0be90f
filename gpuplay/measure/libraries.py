"""What a worker's libraries are: versions, the BLAS behind NumPy or PyTorch, Numba's threading layer."""

from __future__ import annotations

import re
from typing import Any

from gpuplay.kinds.kind import Kind
from gpuplay.targets import followed
from gpuplay.targets.presence import installed

_BLAS_NAMES = {
    "openblas": "OpenBLAS",
    "open": "OpenBLAS",
    "mkl": "MKL",
    "blis": "BLIS",
    "accelerate": "Accelerate",
}


def worker_facts() -> dict[str, Any]:
    """Libraries, threading layer and BLAS threads of the worker that calls this (it needs numba)."""
    import numba
    import numpy as np

    from gpuplay.measure.probes import spread_work

    spread_work(np.zeros(64, np.float32))  # numba chooses its threading layer at the first parallel call
    libraries: dict[str, str | None] = {name: installed(name) or None for name in ("numba", "llvmlite", "numpy")}
    libraries |= {"blas": blas_name() or None, "numba-cuda": installed("numba-cuda") or None}
    return {
        "libraries": libraries,
        "threading_layer": str(numba.threading_layer()),
        "blas_threads": max((pool["num_threads"] for pool in _blas_pools()), default=None),
    }


def named(declared: str, kind: Kind) -> str:
    """What a library variant declares to call, with the names and versions of this process.

    A target's row says who knows them; where it names nobody, "BLAS" becomes the one of NumPy.
    """
    names: dict[str, str] = followed(kind.libraries)() if kind.libraries else {"BLAS": blas_name() or "no BLAS"}
    return re.sub(r"\b(?:" + "|".join(names) + r")\b", lambda word: names[word[0]], declared)


def torch_gpu_names() -> dict[str, str]:
    """PyTorch, and the cuBLAS and cuDNN that it brings, with their versions where they tell them."""
    import torch

    number = torch.backends.cudnn.version()
    cudnn = f"cuDNN {cudnn_version(number)}" if number else "no cuDNN"
    return {"PyTorch": f"PyTorch {torch.__version__}", "cuBLAS": _cublas(), "cuDNN": cudnn}


def cupy_names() -> dict[str, str]:
    """CuPy and the cuBLAS that it finds."""
    import cupy

    return {"CuPy": f"CuPy {cupy.__version__}", "cuBLAS": _cublas()}


def cudnn_version(number: int) -> str:
    """'9.10.2' for 91002, and '8.9.7' for 8907: cudnnGetVersion before and since version 9."""
    major = 10_000 if number >= 90_000 else 1_000
    return f"{number // major}.{number % major // 100}.{number % 100}"


def _cublas() -> str:
    """The name and version of cuBLAS, as the wheel that is installed gives it."""
    found = next(
        (v for name in ("nvidia-cublas", "nvidia-cublas-cu13", "nvidia-cublas-cu12") if (v := installed(name))), ""
    )
    return f"cuBLAS {_release(found)}".strip()


def torch_names() -> dict[str, str]:
    """PyTorch, the BLAS that it was built with, and oneDNN, with versions where it tells them."""
    import torch

    built = torch.__config__.show()
    mkl = re.search(r"Math Kernel Library Version (\d+(?:\.\d+)*)", built)
    onednn = re.search(r"MKL-DNN v(\d+(?:\.\d+)*)", built)
    other = re.search(r"BLAS_INFO=(\w+)", built)
    blas = f"MKL {mkl[1]}" if mkl else _BLAS_NAMES.get(other[1], other[1]) if other else "its own BLAS"
    return {
        "PyTorch": f"PyTorch {torch.__version__.partition('+')[0]}",
        "BLAS": blas,
        "oneDNN": f"oneDNN {onednn[1]}" if onednn else "its own loops",
    }


def blas_name() -> str:
    """The BLAS that NumPy has loaded in this process, such as 'OpenBLAS 0.3.31'; '' where it has none."""
    pools = _blas_pools()
    found = [f"{_BLAS_NAMES.get(p['internal_api'], p['internal_api'])} {_release(p['version'])}".strip() for p in pools]
    return ", ".join(dict.fromkeys(found))


def _blas_pools() -> list[dict[str, Any]]:
    from threadpoolctl import threadpool_info

    return [pool for pool in threadpool_info() if pool["user_api"] == "blas"]


def _release(text: str | None) -> str:
    """The first three numbers of a version: OpenBLAS adds two more for its build."""
    return ".".join((text or "").split(".")[:3])
