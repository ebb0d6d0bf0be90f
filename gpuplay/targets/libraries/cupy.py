"""The target ``cupy``: CuPy, with cuBLAS, on an NVIDIA GPU, as a peer to measure against.

Importing this module does not import CuPy. That float32 is not computed in TF32 is CuPy's default, and
pinned by the variable CUPY_TF32 in the worker's environment.
"""

from __future__ import annotations

import functools
from typing import Any

from gpuplay.targets import presence
from gpuplay.targets.libraries.gpu_library import LibraryTarget


class CupyTarget(LibraryTarget):
    """CuPy on a GPU."""

    name = "cupy"

    def why_not(self) -> str:
        """Why CuPy has no GPU here, found out without importing it."""
        return presence.without_cupy(self._index)

    def window(self, array: Any) -> Any:
        """A CuPy array over the memory of one of ours."""
        return self.library().asarray(array)

    def library(self) -> Any:
        """CuPy, its current stream ours."""
        return self._cupy

    @functools.cached_property
    def _cupy(self) -> Any:
        import cupy

        handle = int(self._device.stream.handle)  # opens the device, in the context that CuPy will use, too
        cupy.cuda.Device(self._index).use()
        self._stream: Any = cupy.cuda.ExternalStream(handle, self._index)
        self._stream.use()
        return cupy
