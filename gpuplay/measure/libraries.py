"""What a worker's libraries are: versions, the BLAS behind NumPy, Numba's threading layer."""

from __future__ import annotations

from typing import Any

from gpuplay.targets.presence import installed


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


def blas_name() -> str:
    """The BLAS that NumPy has loaded in this process, such as 'OpenBLAS 0.3.31'; '' where it has none."""
    names = {"openblas": "OpenBLAS", "mkl": "MKL", "blis": "BLIS", "accelerate": "Accelerate"}
    pools = _blas_pools()
    found = [f"{names.get(p['internal_api'], p['internal_api'])} {_release(p['version'])}".strip() for p in pools]
    return ", ".join(dict.fromkeys(found))


def _blas_pools() -> list[dict[str, Any]]:
    from threadpoolctl import threadpool_info

    return [pool for pool in threadpool_info() if pool["user_api"] == "blas"]


def _release(text: str | None) -> str:
    """The first three numbers of a version: OpenBLAS adds two more for its build."""
    return ".".join((text or "").split(".")[:3])
